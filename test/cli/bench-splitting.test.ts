// `splitgrow bench splitting` from the outside, beside `splitgrow bench`, which keeps its flags.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorLine, splitgrow, start, temporaryFolder } from './command-line.js';

const TINY =
  '--network mobilenet_cifar10 --blocks 1 --channels 1 --classes 4 --resolution 8 --threads 1'.split(' ');
const QUICK = '--batch-size 8 --images 64 --epochs 2 --repeats 2 --parts 0 --check-seconds 0'.split(' ');
const SPLITTING = ['bench', 'splitting', ...TINY, ...QUICK];

test.concurrent('prints one document, its progress on standard error', async () => {
  const { code, stdout, stderr } = await splitgrow([...SPLITTING, '--widths', '2,4', '--json']);
  expect(code).toBe(0);
  const { points, files } = JSON.parse(stdout) as { points: { width: number }[]; files: string[] };
  expect(points.map(({ width }) => width)).toEqual([2, 4]);
  expect(files).toEqual([]);
  expect(stderr).toMatch(/^width 2, 6 neurons: fast [\d.]+ s, exact [\d.]+ s$/m);
});

test.concurrent('prints tables, and a range of widths is one at equal ratios', async () => {
  const out = join(temporaryFolder(), 'out');
  const range = ['--from', '2', '--to', '8', '--points', '3', '--out', out];
  const { code, stdout } = await splitgrow([...SPLITTING, ...range]);
  expect(code).toBe(0);
  expect([...stdout.matchAll(/^ +([248]) +\d+ +\d+ +[\d,]+ /gm)].map(([, width]) => width)).toEqual([
    '2',
    '4',
    '8',
  ]);
  expect(stdout).toMatch(/^Seconds at T = 2: /m);
  for (const method of ['exact', 'rayleigh', 'lobpcg', 'auto'])
    expect(stdout).toMatch(new RegExp(`^ +2 +${method} +[\\d.]+ `, 'm'));
  expect(existsSync(join(out, 'splitting.html'))).toBe(true);
});

test.concurrent('SIGINT ends it with 130, and the widths that there are stay', async () => {
  const out = join(temporaryFolder(), 'out');
  // No limit that width 512 is expected to pass: on a busy machine it would be left out, and the work be over.
  const { child, ended } = start([...SPLITTING, '--widths', '2,512', '--time-limit', '1e9', '--out', out]);
  let said = '';
  const stopAfterFirst = (text: string): void => {
    said += text;
    if (!/^width 2, .*\n/m.test(said)) return;
    child.stderr?.off('data', stopAfterFirst);
    child.kill('SIGINT');
  };
  child.stderr?.on('data', stopAfterFirst);
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toContain(`splitgrow: E_ABORTED: the work was aborted; 1 of 2 widths are in ${out}`);
  expect(existsSync(join(out, 'splitting.json'))).toBe(true);
});

test.concurrent('bench itself takes its flags as before', async () => {
  const { code, stdout } = await splitgrow(['bench', ...TINY, '--width', '2', '--batch-size', '4', '--json']);
  expect(code).toBe(0);
  const document = JSON.parse(stdout) as Record<string, unknown>;
  for (const step of ['trainStep', 'rayleighStep', 'exactStep', 'forward'])
    expect(document[step]).toEqual({ medianMs: expect.any(Number) });
  expect(document).toMatchObject({ threads: 1, device: 'cpu', precision: 'float32' });
});

const WRONG: readonly (readonly [claim: string, words: string, says: RegExp])[] = [
  ['a flag before the second word', 'bench --json splitting', /^--json: expected after "bench splitting"/],
  ['another second word', 'bench spliting', /too many arguments for 'bench'.*see splitgrow bench --help/],
  ['an unknown flag', 'bench splitting --with 2', /--width.*See splitgrow bench splitting --help/],
  [
    'a width that is no number',
    'bench splitting --widths 1,x',
    /^--widths: expected numbers with commas.*"1,x"$/,
  ],
  ['a width of 0', 'bench splitting --widths 0,1', /each a number above 0, got "0,1"$/],
  ['half a range', 'bench splitting --from 1', /--from M and --to M.*found a part of a range$/],
  ['a range and a list', 'bench splitting --widths 1 --from 1 --to 2', /found both$/],
];

test.concurrent.each(WRONG)('%s is wrong usage', async (_claim, words, says) => {
  const ended = await splitgrow(words.split(' '));
  expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 2, stdout: '' });
  expect(errorLine(ended)?.code).toBe('E_USAGE');
  expect(errorLine(ended)?.text).toMatch(says);
});
