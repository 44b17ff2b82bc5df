// The output folder of a run: files of others in it, other containers at it, and what becomes of a run that loses it.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { grow } from '../../../lib/api/grow.js';
import { MAIN, splitgrow, start } from '../../cli/command-line.js';
import { ROOT } from '../../data/places.js';
import { child, ELSEWHERE, GONE, leave } from '../../machine/files/processes.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

let folder: string;
let output: string;
beforeEach(async () => {
  folder = temporaryFolder();
  output = join(folder, 'run');
  await writeTinyData(folder);
});

/** The experiment as a file; `long` takes minutes. */
function experimentFile(long = false): string {
  const file = join(folder, 'tiny.json');
  const experiment = { ...tinyExperiment(folder), stop: { stages: 0 } };
  const fit = { epochs: long ? 20_000 : 1, batch: 16, schedule: { kind: 'cosine' } };
  writeFileSync(file, JSON.stringify({ ...experiment, fit }));
  return file;
}

/** Every file below a folder, with what it says. */
function contents(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
    (entry) => !entry.isDirectory(),
  );
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(root.length + 1), entry.isSymbolicLink() ? 'link' : readFileSync(path, 'utf8')];
    }),
  );
}

/** Waits until a run has written its first checkpoint. */
async function begun(run: { readonly child: { readonly exitCode: number | null } }): Promise<void> {
  while (!existsSync(join(output, 'checkpoint-0-1')) && run.child.exitCode === null)
    await new Promise((done) => setTimeout(done, 20));
}

test('no file of the user is renamed, removed or changed, whatever its name', async () => {
  const hex = '0123456789abcdef'.repeat(2);
  const names = [
    ...['.bashrc', '.bashrc.old', '.config.old/keep', '.thesis.old/chapter', 'thesis/chapter', 'notes.part'],
    ...[
      '.data.tmp-2024-01/x',
      '.x.tmp-1-0a',
      '.x.tmp-999999999-deadbeef',
      '.report.html.tmp-999999999-01234567',
    ],
    ...['.stage-0.old/x', '.checkpoint-0-0.old/x', '.checkpoint-0-0.tmp-1-ab/x', '.experiment.json.old/x'],
    ...[
      'run.lock.1.own',
      'run.lock.1.stale',
      'run.lock.takeover',
      '.run.lock.old',
      'run.journal',
      'stage-x/y',
    ],
    ...[`.splitgrow-${hex}/x`, `.splitgrow-${hex}x`, '.splitgrow-index.part-1.safetensors', 'checkpoints/x'],
  ];
  for (const name of names) {
    mkdirSync(join(output, name, '..'), { recursive: true });
    writeFileSync(join(output, name), name);
  }
  symlinkSync('/nowhere', join(output, '.link.old'));
  const before = contents(output);
  const file = experimentFile();
  for (let run = 0; run < 2; run += 1) await grow({ experiment: file });
  expect(contents(output)).toMatchObject(before);
  expect(readdirSync(output)).toContain('summary.json');
  expect(readdirSync(output)).not.toContain('run.lock');
});

test.each([
  ...['experiment.json', 'run.json', 'metrics.jsonl', 'report.html', 'plots/mine.svg', 'best/x', 'stage-0/x'],
  ...['checkpoint-1-2/x', 'network.json', 'summary.json', 'finish/x', 'compare.json', 'stages.csv'],
])("a folder that is no run's and holds %s is refused and stays as it is", async (name) => {
  mkdirSync(join(output, name, '..'), { recursive: true });
  writeFileSync(join(output, name), '{}');
  await expect(grow({ experiment: experimentFile() })).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining(`it holds ${name.split('/')[0]} `),
  });
  expect(contents(output)).toEqual({ [name]: '{}' });
});

test('files that somebody put into the folders of a run stay when it goes on', async () => {
  const file = experimentFile();
  await grow({ experiment: file });
  for (const name of ['plots', 'stage-0', 'checkpoint-0-0'])
    writeFileSync(join(output, name, 'mine.txt'), 'mine');
  await grow({ experiment: file, set: ['stop.stages=1'] });
  for (const name of ['plots', 'stage-0', 'checkpoint-0-0'])
    expect(readFileSync(join(output, name, 'mine.txt'), 'utf8')).toBe('mine');
});

test('a link under the name of a file of a run is not written through', async () => {
  const file = experimentFile();
  await grow({ experiment: file });
  const other = join(folder, 'other');
  writeFileSync(other, 'of somebody');
  rmSync(join(output, 'metrics.jsonl'));
  for (const name of ['metrics.jsonl', 'run.lock.1.own']) symlinkSync(other, join(output, name));
  await grow({ experiment: file, set: ['stop.stages=1'] });
  expect(readFileSync(other, 'utf8')).toBe('of somebody');
});

describe('a folder that cannot be made', () => {
  test.each(['/proc/splitgrow', '/proc/self/x/y', '/sys/splitgrow', '/dev/null', '/dev/null/x'])(
    '%s is refused with E_WRITE',
    async (path) => {
      const ended = await splitgrow(['grow', experimentFile(), '--set', `output=${path}`]);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toMatch(/^splitgrow: E_WRITE: [^\n]+\n$/m);
    },
  );

  test('nor through a link that leads nowhere, nor below a file', async () => {
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    writeFileSync(join(folder, 'file'), '');
    for (const name of ['link', 'link/x', 'file', 'file/x']) {
      const set = [`output=${join(folder, name)}`];
      await expect(grow({ experiment: experimentFile(), set })).rejects.toMatchObject({ code: 'E_WRITE' });
    }
    expect(readdirSync(folder)).not.toContain('nowhere');
  });
});

describe('a run whose output folder', () => {
  test.each([
    ['is removed', () => rmSync(output, { recursive: true, force: true })],
    ['is moved away', () => renameSync(output, join(folder, 'elsewhere'))],
    [
      'is replaced',
      () => {
        renameSync(output, join(folder, 'elsewhere'));
        mkdirSync(output);
        writeFileSync(join(output, 'mine'), '');
      },
    ],
  ])('%s ends with E_OUTPUT and exit code 1, and writes nothing more', async (what, change) => {
    const run = start(['grow', experimentFile(true)]);
    await begun(run);
    // The run may be writing into it at this moment.
    for (;;) {
      try {
        change();
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
      }
    }
    const ended = await run.ended;
    expect(ended.code).toBe(1);
    const last = ended.stderr.trimEnd().split('\n').at(-1);
    expect(last).toMatch(/^splitgrow: E_OUTPUT: output .* removed, moved or replaced/);
    if (what === 'is replaced') expect(readdirSync(output)).toEqual(['mine']);
    else expect(existsSync(output)).toBe(false);
  });
});

test('the output of a Worker that was terminated is free at once, and the run goes on in its process', async () => {
  const index = pathToFileURL(join(ROOT, 'dist', 'index.js')).href;
  const script = `
    import { existsSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    import { grow } from ${JSON.stringify(index)};
    const experiment = ${JSON.stringify(experimentFile(true))};
    const worker = new Worker(\`import(\${JSON.stringify(${JSON.stringify(index)})})
      .then(({ grow }) => grow({ experiment: \${JSON.stringify(experiment)} }))\`, { eval: true });
    while (!existsSync(${JSON.stringify(join(output, 'checkpoint-0-1'))})) await new Promise((done) => setTimeout(done, 20));
    const first = await grow({ experiment }).catch((error) => error.code);
    await worker.terminate();
    const controller = new AbortController();
    const onEvent = (event) => {
      if (event.type !== 'note' || !event.text.startsWith('continues')) return;
      console.log(first + ', then ' + event.text.split(' ')[0]);
      controller.abort();
    };
    await grow({ experiment }, { signal: controller.signal, onEvent }).catch((error) => console.log(error.code));`;
  const run = child(script);
  expect([await run.line(), await run.line()]).toEqual(['E_RESUME, then continues', 'E_ABORTED']);
  expect(await run.ended).toBe(0);
  expect(readdirSync(output)).not.toContain('run.lock');
});

test('SIGTERM ends the wait for a lock that nobody here can see', async () => {
  const file = experimentFile();
  leave(join(output, 'run.lock'), ELSEWHERE, false);
  const run = start(['grow', file]);
  let said = '';
  let isSent = false;
  run.child.stderr?.on('data', (text: string) => {
    said += text;
    // One signal alone: a second one, half a second after the first, would kill the process while it ends.
    if (isSent || !said.includes('cannot be seen from here')) return;
    isSent = run.child.kill('SIGTERM');
  });
  const { code, stderr } = await run.ended;
  expect(stderr).toMatch(/E_ABORTED/);
  expect(code).toBe(143);
  expect(readdirSync(output)).toEqual(['run.lock']);
});

const canUnshare = ((): boolean => {
  try {
    execFileSync('unshare', ['--uts', '--pid', '--fork', '--kill-child', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
const reason = canUnshare ? '' : ' (skipped: this system lets nobody here make namespaces with unshare)';

/** `splitgrow grow` in namespaces of its own, as in a container of that host name. */
function inContainer(host: string, long: boolean) {
  const script = 'hostname "$0"; exec "$@"';
  const command = [process.execPath, MAIN, 'grow', experimentFile(long)];
  const flags = ['--uts', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const child = spawn('unshare', [...flags, 'sh', '-c', script, host, ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stderr })) };
}

describe.skipIf(!canUnshare)(`containers on one volume${reason}`, () => {
  test('of two that live, also of one host name, the second is refused', async () => {
    const first = inContainer('box', true);
    await begun(first);
    const { code, stderr } = await inContainer('box', true).ended;
    expect(stderr).toMatch(
      /cannot be seen from here; .*\n.*E_RESUME: .*another run is using it \(process \d+ on box\)/s,
    );
    expect(code).toBe(2);
    first.child.kill('SIGKILL');
    await first.ended;
  });

  test('one that was killed is followed by its replacement, once its lease has run out', async () => {
    const first = inContainer('one', true);
    await begun(first);
    first.child.kill('SIGKILL');
    await first.ended;
    const lock = join(output, 'run.lock');
    const record = join(lock, readdirSync(lock)[0] ?? '', 'owner.json');
    utimesSync(record, new Date(Date.now() - 61_000), new Date(Date.now() - 61_000));
    // The same experiment, but for its epochs, is what the folder holds; that it says so shows that the lock is its own.
    const { code, stderr } = await inContainer('two', false).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/E_RESUME: .*another experiment: fit.epochs was 20000, now 1/);
    expect(existsSync(lock)).toBe(false);
  });
});

test('a lock that was left in the middle of a replacement is mended by the run that goes on', async () => {
  const file = experimentFile();
  await grow({ experiment: file });
  const place = leave(join(output, 'run.lock'), GONE, true);
  mkdirSync(join(place, '0'));
  renameSync(join(output, 'stage-0'), join(place, '0', 'old'));
  writeFileSync(join(place, '0', 'target.json'), JSON.stringify({ target: 'stage-0' }));
  expect((await grow({ experiment: file })).stages).toHaveLength(1);
});
