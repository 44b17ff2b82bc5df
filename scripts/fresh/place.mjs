// The folder that stands for a fresh machine: a home, a temporary folder and a cache of its own, and few programs on PATH.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { must, ROOT } from '../steps.mjs';

/** Programs that npm, npx and the shell scripts of packages ask for. */
const PROGRAMS = ['sh', 'env', 'uname', 'sed', 'dirname', 'basename', 'npm', 'npx'];
/** Settings of the machine's user that say where packages come from. */
const KEPT = /^(npm_config_\w+|PIP_\w+|\w*_proxy|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|LANG|LC_\w+)$/i;

function find(program) {
  const folder = (process.env.PATH ?? '').split(delimiter).find((path) => existsSync(join(path, program)));
  return folder === undefined ? null : realpathSync(join(folder, program));
}

/** What the machine's own npm is configured to: its cache, so that packages come from there first, and its settings. */
async function npmSettings() {
  const cache = (await must('npm', 'npm', ['config', 'get', 'cache'])).trim();
  const config = join(homedir(), '.npmrc');
  return {
    npm_config_cache: cache,
    npm_config_userconfig: existsSync(config) ? config : '/dev/null',
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
  };
}

/** Runs a command in `cwd`; resolves to { code, stdout, stderr }. */
function spawned(command, parameters, { cwd, env }) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const result = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].on('data', (chunk) => {
        result[name] += chunk;
      });
    child.on('error', (error) => resolve({ ...result, code: 127, stderr: error.message }));
    child.on('close', (code, signal) => resolve({ ...result, code: code ?? signal }));
  });
}

/** A new place, without python3 on its PATH. */
export async function makePlace() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'splitgrow-fresh-')));
  const folder = (name) => {
    const path = join(root, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const [home, temporary, project, programs] = ['home', 'tmp', 'project', 'programs'].map(folder);
  for (const name of PROGRAMS) {
    const path = find(name);
    if (path !== null) symlinkSync(path, join(programs, name));
  }
  cpSync(join(ROOT, 'scripts', 'fresh', 'project'), project, { recursive: true });
  const npm = await npmSettings();
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.test(name)));

  /** Runs a program of `node` (the folder of a Node.js) or of this place. */
  const run = (node, command, parameters, { env = {}, cwd = project } = {}) =>
    spawned(command, parameters, {
      cwd,
      env: {
        ...kept,
        ...npm,
        PATH: `${node}${delimiter}${programs}`,
        HOME: home,
        TMPDIR: temporary,
        NO_COLOR: '1',
        // npm and tsc would leave theirs in the temporary folder.
        NODE_DISABLE_COMPILE_CACHE: '1',
        ...env,
      },
    });

  return {
    root,
    home,
    temporary,
    project,
    folder,
    run,
    /** Puts a program of the machine on PATH. */
    allow: (name, path) => symlinkSync(path, join(programs, name)),
    /** What lies directly in a folder. */
    list: (path) => (existsSync(path) ? readdirSync(path).sort() : []),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
