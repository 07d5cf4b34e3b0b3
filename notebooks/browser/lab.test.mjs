// What a reader does with the course in JupyterLab, in a real browser: run all,
// watch a run move, stop it, complete, ask for documentation, make mistakes.
//
//	node --test        needs .venv with JupyterLab and the kernel, and Chromium
//
// VENV, CHROMIUM and SHOTS (a folder for screenshots, out/browser) change where
// things are.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as jupyter from './jupyter.mjs';
import { Notebook, errorsOf, patience, textOf, write } from './notebook.mjs';

const course = path.resolve(import.meta.dirname, '..');
let lab, browser;

before(async () => {
  [lab, browser] = await Promise.all([jupyter.start(), jupyter.browser()]);
});

after(async () => {
  await browser?.close();
  await lab?.stop();
});

// notebook is a test on a notebook of its own, which a failure photographs.
function notebook(name, cells, body, options = {}) {
  test(name, { timeout: 4 * patience }, async () => {
    const file = `${name.replaceAll(/[^a-z]+/gi, '-')}.ipynb`;
    if (typeof cells === 'string') fs.copyFileSync(path.join(course, cells), path.join(lab.root, file));
    else write(lab, file, cells);
    const nb = await Notebook.open(browser, lab, file, options);
    try {
      await body(nb);
    } catch (err) {
      await nb.photo(`failed-${file}`);
      throw err;
    } finally {
      await nb.close();
    }
  });
}

// watch samples what is on the screen until the bar of the page says what the
// end is, and returns the different states that were seen before.
async function watch(page) {
  return page.evaluate(() => new Promise((done) => {
    const bars = new Set(), curves = new Set();
    const look = () => {
      const bar = document.querySelector('.gophersnake-bar');
      if (!bar) return;
      const progress = bar.querySelector('progress');
      if (progress.value >= progress.max) {
        clearInterval(timer);
        done({ bars: [...bars], curves: curves.size });
        return;
      }
      bars.add(progress.value);
      const svg = bar.closest('.jp-OutputArea').querySelector('.jp-RenderedSVG');
      if (svg) curves.add(svg.innerHTML);
    };
    const timer = setInterval(look, 40);
  }));
}

notebook('the welcome runs, and its run moves', '00-welcome.ipynb', async (nb) => {
  const training = (await nb.cells()).findIndex((c) => c.cell_type === 'code' && [c.source].flat().join('').includes('nb.Train(e)'));
  const watching = watch(nb.page);
  await nb.command('notebook:run-all-cells');
  await nb.says(training, 'gophersnake-bar');
  await nb.select(training);
  await nb.page.waitForFunction(() => document.querySelector('.gophersnake-bar progress')?.value > 500);
  await nb.photo('welcome-training');
  const seen = await watching;
  assert.ok(seen.bars.length >= 2 && seen.bars.some((v) => v > 0), `bar stood at ${seen.bars}`);
  assert.ok(seen.curves >= 2, `${seen.curves} different curves before the end, want 2 or more`);
  const cells = await nb.cells();
  const code = cells.flatMap((c, i) => (c.cell_type === 'code' ? [i] : []));
  await nb.ended(code.at(-1));
  const end = await nb.cells();
  assert.deepEqual(errorsOf(end), []);
  assert.deepEqual(code.map((i) => end[i].execution_count), code.map((_, i) => i + 1));
  for (const [n, i] of code.entries()) {
    if (!end[i].outputs.length) continue;
    await nb.select(i);
    await nb.photo(`welcome-cell-${n + 1}`);
  }
});

const imports = `import (
	"fmt"
	"time"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/nb"
	"github.com/gophersnake/gophersnake/pkg/ssm"
	"github.com/gophersnake/gophersnake/pkg/task"
)`;

notebook('the stop button ends a loop and keeps its variables', [
  imports,
  'n := 0\nfmt.Println("turning")\nfor {\n\tn++\n}',
  'fmt.Println("turned:", n > 0)',
], async (nb) => {
  await nb.run(0);
  await nb.start(1);
  await nb.says(1, 'turning');
  await nb.stop();
  await nb.ended(1);
  assert.match(textOf(await nb.cell(1)), /interrupted: the cell was stopped; variables are kept/);
  assert.equal(textOf(await nb.run(2)).trim(), 'turned: true');
  await nb.photo('stopped-loop');
});

notebook('the stop button ends a compiled run and keeps its result', [
  imports,
  'e := lab.DefaultExperiment(task.SelectiveCopying)\ne.Steps = 1 << 30\nnb.Train(e)',
  'nb.LastResult()',
  'fmt.Println(nb.LastResult().Status, nb.LastResult().Steps > 0)',
], async (nb) => {
  await nb.run(0);
  await nb.start(1);
  await nb.page.waitForFunction(() => /loss \d/.test(document.querySelector('.gophersnake-bar')?.textContent ?? ''));
  await nb.photo('training-to-be-stopped');
  await nb.stop();
  await nb.ended(1);
  const stopped = await nb.cell(1);
  assert.match(textOf(stopped), /interrupted at loss/);
  const shown = (await nb.run(2)).outputs;
  assert.deepEqual(shown.map((o) => o.output_type), ['display_data', 'execute_result']);
  assert.match([shown[0].data['text/html']].flat().join(''), /<table.*train\/loss/s);
  assert.match([shown[1].data['image/svg+xml']].flat().join(''), /<svg/);
  assert.equal(textOf(await nb.run(3)).trim(), 'interrupted true');
  await nb.select(1);
  await nb.photo('stopped-training');
  await nb.select(2);
  await nb.photo('result-as-a-value');
});

notebook('Tab completes and Shift-Tab explains', [
  imports,
  'ssm.',
  'lab.DefaultExperiment',
], async (nb) => {
  await nb.run(0);
  await nb.select(1, { edit: true });
  await nb.page.keyboard.press('Control+End');
  await nb.page.keyboard.press('Tab');
  await nb.page.waitForSelector('.jp-Completer-item >> text=NewMamba');
  const offered = await nb.page.locator('.jp-Completer-item').allTextContents();
  for (const name of ['Diagonal', 'MambaConfig', 'NewS6']) assert.ok(offered.some((o) => o.includes(name)), `${name} is not among ${offered}`);
  await nb.photo('completion');
  await nb.page.keyboard.press('Escape');
  await nb.select(2, { edit: true });
  await nb.page.keyboard.press('Control+End');
  await nb.page.keyboard.press('Shift+Tab');
  await nb.page.waitForSelector('.jp-Tooltip');
  const tip = await nb.page.locator('.jp-Tooltip').textContent();
  assert.match(tip, /func DefaultExperiment\(/);
  assert.match(tip, /DefaultExperiment returns/);
  await nb.photo('documentation');
});

notebook('mistakes are explained where they were made', [
  imports,
  'xs := []int{1, 2}\nthird := func() int { return xs[2] }\nfmt.Println("before")\nthird()',
  'lab.DefaultExperimnt(task.SelectiveCopying)',
  'lab.RungNamed("mambo")',
  'fmt.Println("still there:", xs)',
], async (nb) => {
  for (let i = 0; i < 4; i++) await nb.run(i);
  const cells = await nb.cells();
  assert.match(textOf(cells[1]), /^before\n/);
  assert.match(textOf(cells[1]), /panic: .*index out of range[^]*line 4: third\(\)/);
  assert.match(textOf(cells[2]), /compile error: .*DefaultExperimnt/);
  assert.equal(textOf(await nb.run(4)).trim(), 'still there: [1 2]');
  await nb.select(1);
  await nb.photo('mistakes');
});

notebook('a crash leaves its trace, and the kernel comes back', [
  imports,
  'lost := 1\ntime.AfterFunc(0, func() { panic("gone for good") })\ntime.Sleep(time.Minute)',
  'fmt.Println("alive")',
  'fmt.Println(lost)',
], async (nb) => {
  await nb.run(0);
  await nb.start(1);
  await nb.page.locator('.jp-Dialog').getByText(/appears to have died/).waitFor();
  await nb.photo('crash-dialog');
  await nb.page.locator('.jp-Dialog .jp-mod-accept').click();
  await nb.idle(); // before any cell runs
  const first = textOf(await nb.run(0)); // whatever runs first says it
  assert.match(first, /The kernel crashed and was started anew[^]*panic: gone for good/);
  assert.equal(textOf(await nb.run(2)).trim(), 'alive');
  await nb.select(0);
  await nb.photo('crash-trace');
  assert.match(textOf(await nb.run(3)), /lost/);
});

notebook('Restart Kernel and Run All', [
  imports,
  'count := 1\ncount++\nfmt.Println("count", count)',
  'fmt.Println("double", 2*count)',
], async (nb) => {
  for (const i of [0, 1, 1, 2]) await nb.run(i);
  await nb.press('notebook:restart-run-all');
  await nb.page.locator('.jp-Dialog .jp-mod-accept').click();
  await nb.page.waitForFunction(() => window.jupyterapp.shell.currentWidget.content.widgets.slice(0, 3).every((w, i) => w.model.executionCount === i + 1));
  await nb.ended(2);
  const cells = await nb.cells();
  assert.deepEqual(errorsOf(cells), []);
  assert.match(textOf(cells[1]), /count 2/);
  assert.match(textOf(cells[2]), /double 4/);
});

notebook('a narrow page cuts nothing off', [
  imports,
  'e := lab.DefaultExperiment(task.SelectiveCopying)\ne.Steps = 30\nr, err := nb.Train(e)',
  'nb.Show([]*lab.Result{r, r, r, r, r, r, r, r})',
], async (nb) => {
  await nb.page.setViewportSize({ width: 800, height: 1000 });
  for (let i = 0; i < 3; i++) await nb.run(i);
  await nb.select(1);
  await nb.photo('narrow-figure');
  await nb.select(2);
  await nb.photo('narrow-table');
  const parts = await nb.page.evaluate(() => [...document.querySelectorAll('.jp-RenderedSVG > *, .gophersnake-bar, table.gophersnake')].map((e) => {
    const area = e.closest('.jp-OutputArea-output');
    let scrolls = false;
    for (let a = e.parentElement; a !== area.parentElement; a = a.parentElement) {
      scrolls ||= a.scrollWidth > a.clientWidth && getComputedStyle(a).overflowX === 'auto';
    }
    return { what: e.className || e.tagName, fits: e.getBoundingClientRect().right <= area.getBoundingClientRect().right + 1, scrolls };
  }));
  for (const what of ['IMG', 'gophersnake-bar', 'gophersnake']) assert.ok(parts.some((p) => p.what === what), JSON.stringify(parts));
  assert.ok(parts.some((p) => p.what === 'gophersnake' && p.scrolls), JSON.stringify(parts));
  for (const p of parts) assert.ok(p.fits || p.scrolls, JSON.stringify(p));
});

// contrast is the ratio of luminances, 1 to 21, of an element's text and what is
// behind it (WCAG 2, 1.4.3).
function contrast(page, selector) {
  return page.evaluate((s) => {
    const numbers = (c) => c.match(/[\d.]+/g).map(Number);
    const luminance = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const element = document.querySelector(s);
    let behind = element;
    while (behind && (numbers(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
    const [a, b] = [numbers(getComputedStyle(element).color), numbers(getComputedStyle(behind).backgroundColor)].map(luminance);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }, selector);
}

notebook('tables and figures can be read in the dark', [
  imports,
  `e := lab.DefaultExperiment(task.SelectiveCopying)
e.Steps = 60
r, err := nb.Train(e)`,
  'r',
  'nb.Show(lab.Rungs())',
  `e.Steps, e.EvalEvery = 40, 40
arms, err := lab.Ladder(e, "rnn", "lru", "mamba")
nb.Study(lab.StudyConfig{Name: "dark", Arms: arms, LRs: []float64{3e-3, 1e-2}, TuneSeeds: []uint64{9}, Seeds: []uint64{1, 2}})`,
], async (nb) => {
  for (let i = 0; i < 5; i++) await nb.run(i);
  assert.deepEqual(errorsOf(await nb.cells()), []);
  for (const i of [1, 2, 3, 4]) {
    await nb.select(i);
    await nb.photo(`dark-cell-${i}`);
  }
  for (const part of ['.gophersnake-bar', 'table.gophersnake td', 'table.gophersnake th', 'table.gophersnake caption']) {
    const ratio = await contrast(nb.page, part);
    assert.ok(ratio >= 4.5, `${part}: contrast ${ratio.toFixed(1)}, want 4.5 or more`);
  }
}, { dark: true });
