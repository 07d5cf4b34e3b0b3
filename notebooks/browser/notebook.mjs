// One notebook in JupyterLab as a reader has it: buttons and keys are pressed in
// the page; what came out is read from the notebook's model, which also has the
// cells that are scrolled away.
import fs from 'node:fs';
import path from 'node:path';
import { shots } from './jupyter.mjs';

// patience is how long something may take that ends by itself, in milliseconds.
// Nothing here measures time: it only keeps a broken test from hanging.
export const patience = 120_000;

// write makes a notebook file of cells of Go.
export function write(lab, name, cells) {
  fs.writeFileSync(path.join(lab.root, name), JSON.stringify({
    nbformat: 4, nbformat_minor: 5,
    metadata: { kernelspec: { display_name: 'Go (gophersnake)', language: 'go', name: 'gophersnake' }, language_info: { name: 'go' } },
    cells: cells.map((source, i) => ({ cell_type: 'code', id: `cell-${i}`, metadata: {}, source, outputs: [], execution_count: null })),
  }));
}

export class Notebook {
  constructor(page) { this.page = page; }

  // open shows a notebook in a page of its own and waits for its kernel.
  static async open(browser, lab, name, { dark = false } = {}) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.setDefaultTimeout(patience);
    await page.goto(`${lab.url(`lab/tree/${name}`)}&reset`);
    await page.waitForSelector('.jp-NotebookPanel');
    const nb = new Notebook(page);
    await nb.idle();
    if (dark) await page.evaluate(() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' }));
    return nb;
  }

  // idle waits until JupyterLab knows that the kernel is idle.
  async idle() {
    await this.page.waitForFunction(() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle');
  }

  // close ends the kernel and the page.
  async close() {
    await this.page.evaluate(() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown());
    await this.page.close();
  }

  command(name, args = {}) {
    return this.page.evaluate(([n, a]) => { window.jupyterapp.commands.execute(n, a); }, [name, args]);
  }

  // select makes cell i the active one and scrolls to it.
  async select(i, { edit = false } = {}) {
    await this.page.evaluate(async ([n, mode]) => {
      const notebook = window.jupyterapp.shell.currentWidget.content;
      notebook.activeCellIndex = n;
      notebook.deselectAll();
      await notebook.scrollToItem(n, 'start');
      notebook.mode = mode;
      notebook.activate();
    }, [i, edit ? 'edit' : 'command']);
  }

  // start runs cell i and does not wait for its end.
  async start(i) {
    await this.select(i);
    await this.press('notebook:run-cell-and-select-next');
    await this.select(i);
  }

  // run runs cell i and returns it as it is in the end.
  async run(i) {
    await this.start(i);
    await this.ended(i);
    return this.cell(i);
  }

  // press clicks a button of the toolbar.
  press(command) {
    return this.page.locator(`.jp-NotebookPanel:not(.lm-mod-hidden) .jp-NotebookPanel-toolbar jp-button[data-command="${command}"]`).click();
  }

  stop() { return this.press('notebook:interrupt-kernel'); }

  cells() { return this.page.evaluate(() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells); }

  async cell(i) { return (await this.cells())[i]; }

  // ended waits until cell i has run.
  ended(i) {
    return this.page.waitForFunction((n) => {
      const cell = window.jupyterapp.shell.currentWidget.content.widgets[n];
      return cell.model.executionState === 'idle' && cell.model.executionCount !== null;
    }, i);
  }

  // says waits until the text of cell i's outputs holds text.
  says(i, text) {
    return this.page.waitForFunction(([n, wanted]) => {
      const cell = window.jupyterapp.shell.currentWidget.content.model.toJSON().cells[n];
      return JSON.stringify(cell.outputs).includes(wanted);
    }, [i, text]);
  }

  // photo keeps a screenshot; the page is first given time to draw.
  async photo(name) {
    fs.mkdirSync(shots, { recursive: true });
    await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await this.page.waitForTimeout(300);
    await this.page.screenshot({ path: path.join(shots, `${name}.png`) });
  }
}

// textOf is all that a cell shows, as text.
export function textOf(cell) {
  const one = (s) => (Array.isArray(s) ? s.join('') : s ?? '');
  return cell.outputs.map((o) => (o.output_type === 'error' ? o.traceback.join('\n')
    : one(o.text ?? o.data?.['text/plain']))).join('\n').replaceAll(/\x1b\[[0-9;]*m/g, '');
}

// errorsOf lists the errors of cells, with where they are.
export function errorsOf(cells) {
  return cells.flatMap((c, i) => (c.outputs ?? []).filter((o) => o.output_type === 'error').map((o) => `cell ${i}: ${o.evalue}`));
}
