// Standard output and standard error that end early, are full or closed: the work goes on to its end, and the exit code tells of the document.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tinyExperiment, writeTinyData } from '../run/tiny.js';
import { MAIN, temporaryFolder } from './command-line.js';

/** A stream of the child: "gone" is a pipe whose reader is gone before the first byte, "full" a full disk, "closed" no descriptor. */
type Kind = 'read' | 'gone' | 'full' | 'closed';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `splitgrow <words>` with such streams. */
async function ended(words: readonly string[], out: Kind, error: Kind): Promise<Ended> {
  const full = openSync('/dev/full', 'w');
  const closings = [out === 'closed' ? '1>&-' : '', error === 'closed' ? '2>&-' : ''].join(' ');
  const child = spawn('sh', ['-c', `exec "$@" ${closings}`, 'sh', process.execPath, MAIN, ...words], {
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', out === 'full' ? full : 'pipe', error === 'full' ? full : 'pipe'],
  });
  closeSync(full);
  const said = { stdout: '', stderr: '' };
  for (const [name, kind] of [
    ['stdout', out],
    ['stderr', error],
  ] as const) {
    if (kind === 'gone') child[name]?.destroy();
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

/** An experiment of seconds that tells of much: a checkpoint an epoch, and each is a line of the log. */
async function experiment(): Promise<{ readonly file: string; readonly output: string }> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const json = tinyExperiment(folder);
  const file = join(folder, 'experiment.json');
  writeFileSync(file, JSON.stringify({ ...json, splitting: { method: 'exact' }, stop: { stages: 1 } }));
  return { file, output: String(json.output) };
}

function expectWhole(output: string): void {
  const summary = JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8')) as { stages: unknown[] };
  expect(summary.stages).toHaveLength(2);
  expect(existsSync(join(output, 'run.lock'))).toBe(false);
}

test.each<[out: Kind, error: Kind]>([
  ['read', 'gone'],
  ['read', 'full'],
  ['read', 'closed'],
  ['gone', 'gone'],
  ['closed', 'closed'],
])('a run ends with 0 and its summary: standard output %s, standard error %s', async (out, error) => {
  const { file, output } = await experiment();
  // --watch tells its address, so that there is a line of the log before the work begins.
  const { code, stdout } = await ended(['grow', file, '--json', '--watch'], out, error);
  expect(code).toBe(0);
  expectWhole(output);
  if (out === 'read') expect(JSON.parse(stdout)).toMatchObject({ name: 'tiny' });
});

test('a document that a full disk does not take is told, with exit code 1; the work is kept', async () => {
  const { file, output } = await experiment();
  const { code, stderr } = await ended(['grow', file, '--json'], 'full', 'read');
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^splitgrow: E_WRITE: cannot write standard output \(the work itself is done\): the disk is full; .*ENOSPC/m,
  );
  expectWhole(output);
  expect(await ended(['grow', file, '--json'], 'full', 'full')).toMatchObject({ code: 1 });
});

test('ranks go on without their log', async () => {
  const { file, output } = await experiment();
  const words = ['launch', '--processes', '2', '--', 'grow', file, '--json'];
  expect(await ended(words, 'read', 'gone')).toMatchObject({ code: 0 });
  expectWhole(output);
});

test.each([
  ['show', ['show', 'mobilenet_cifar10']],
  ['--help', ['--help']],
  ['--version', ['--version']],
])('%s into `head` ends quietly with 0, onto a full disk with 1 and a line', async (_name, words) => {
  expect(await ended(words, 'gone', 'read')).toEqual({ code: 0, stdout: '', stderr: '' });
  const { code, stderr } = await ended(words, 'full', 'read');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^splitgrow: E_WRITE: [^\n]+\n$/),
  });
});

test('a refusal keeps its exit code when its line cannot be written', async () => {
  for (const kind of ['gone', 'full', 'closed'] as const)
    expect((await ended(['cost', '--network', 'none-such'], 'read', kind)).code).toBe(2);
});
