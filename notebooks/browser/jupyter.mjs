// JupyterLab and Chromium for a test: a server of its own on a free port, in a
// temporary folder, with settings of its own, and a page that shows it.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const here = import.meta.dirname;
const venv = process.env.VENV ?? path.resolve(here, '../../.venv');

// shots is where screenshots go.
export const shots = process.env.SHOTS ?? path.resolve(here, '../../out/browser');

// settings keep JupyterLab from asking the network for news and from opening
// dialogs that no test is about.
const settings = {
  '@jupyterlab/apputils-extension/notification': { fetchNews: 'false', checkForUpdates: false },
  '@jupyterlab/docmanager-extension/plugin': { autosave: false },
};

function freePort() {
  return new Promise((resolve, reject) => {
    const s = net.createServer().on('error', reject);
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

// start returns a running JupyterLab: its URL, the folder it shows, what it has
// printed, and stop, which ends it with its kernels and removes the folder.
export async function start() {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'gophersnake-lab-'));
  const root = path.join(home, 'notebooks');
  fs.mkdirSync(root);
  for (const [plugin, values] of Object.entries(settings)) {
    const file = path.join(home, 'settings', `${plugin}.jupyterlab-settings`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify(values));
  }
  const port = await freePort();
  const token = randomBytes(16).toString('hex');
  let log = '';
  const server = spawn(path.join(venv, 'bin/jupyter'), ['lab', '--no-browser', '--allow-root', '--ip=127.0.0.1',
    `--port=${port}`, '--ServerApp.port_retries=0', `--IdentityProvider.token=${token}`, `--ServerApp.root_dir=${root}`,
    '--LabApp.expose_app_in_browser=True', '--ServerApp.terminals_enabled=False'], {
    cwd: root,
    env: { ...process.env, HOME: home, JUPYTER_CONFIG_DIR: `${home}/config`, JUPYTER_DATA_DIR: `${home}/data`,
      JUPYTER_RUNTIME_DIR: `${home}/runtime`, JUPYTERLAB_SETTINGS_DIR: `${home}/settings`, JUPYTERLAB_WORKSPACES_DIR: `${home}/workspaces` },
  });
  server.stdout.on('data', (d) => { log += d; });
  server.stderr.on('data', (d) => { log += d; });
  const gone = new Promise((resolve) => server.on('exit', resolve));
  const url = (p) => `http://127.0.0.1:${port}/${p}?token=${token}`;
  for (let tries = 0; ; tries++) {
    const up = await fetch(url('api/status')).then((r) => r.ok, () => false);
    if (up) break;
    if (server.exitCode !== null || tries > 600) throw new Error(`JupyterLab does not answer:\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url, root, log: () => log,
    async stop() {
      server.kill('SIGTERM');
      const late = setTimeout(() => server.kill('SIGKILL'), 20_000);
      await gone;
      clearTimeout(late);
      fs.rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

// browser starts the system's Chromium.
export function browser() {
  const names = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].filter(Boolean);
  const found = names.map((n) => spawnSync('sh', ['-c', 'command -v "$0"', n], { encoding: 'utf8' }).stdout.trim()).find(Boolean);
  if (!found) throw new Error(`no browser: none of ${names.join(', ')} is on the PATH; set CHROMIUM`);
  return chromium.launch({ executablePath: found, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}
