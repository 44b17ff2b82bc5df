// Hostile input from the outside: one line with a code and exit code 2, at once; never a stack, a hang or a fault of ours.
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorLine, splitgrow, temporaryFolder } from './command-line.js';

/** The code and the text that `splitgrow <words>` ends with, and its exit code. */
async function refusal(words: readonly string[], cwd: string): Promise<string> {
  const ended = await splitgrow(words, {}, cwd);
  const line = errorLine(ended);
  return `${ended.code} ${line?.code ?? `no error line: ${ended.stderr.slice(0, 400)}`} ${line?.text ?? ''}`;
}

const nested = (open: string, close: string, levels: number): string =>
  open.repeat(levels) + close.repeat(levels);

test('what is no regular file is refused where an experiment, a network or a plan is asked for', async () => {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);
  execFileSync('mkfifo', [at('pipe')]);
  symlinkSync('loop', at('loop'));
  mkdirSync(at('folder'));
  writeFileSync(at('sparse'), '');
  truncateSync(at('sparse'), 3 * 2 ** 30);
  mkdirSync(at('network'));
  symlinkSync('/dev/zero', at('network/network.json'));
  for (const [words, text] of [
    [['train', 'pipe'], 'found a pipe or device'],
    [['train', '/dev/zero'], 'found a pipe or device'],
    [['train', 'loop'], 'ELOOP'],
    [['train', 'folder'], 'found a directory'],
    [['train', 'sparse'], 'at most 268435456 bytes'],
    [['cost', '--network', 'network'], 'found a pipe or device'],
    [
      'split --network network --plan pipe --directions pipe --epsilon 0 --out x'.split(' '),
      'found a pipe or device',
    ],
  ] as const) {
    const found = await refusal(words, folder);
    expect(found).toMatch(/^2 E_FILE /);
    expect(found).toContain(text);
  }
});

test('nesting of 100,000 levels is refused, wherever it stands', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'deep.json');
  for (const text of [
    '['.repeat(100_000),
    `{"name":"x","fit":${nested('[', ']', 100_000)}}`,
    `{"name":"x","network":${nested('{"a":', '}', 100_000).replace('}', '1}')}}`,
    `{"name":"x","data":${nested('[', ']', 100_000)}}`,
    `{"name":"x","compare":[${nested('[', ']', 100_000)}]}`,
  ]) {
    writeFileSync(file, text);
    expect(await refusal(['train', file], folder), text.slice(0, 40)).toMatch(/^2 E_EXPERIMENT /);
  }
  writeFileSync(file, '{"name":"x"}');
  const path = ['train', file, '--set', `${'a.'.repeat(30_000)}b=1`];
  expect(await refusal(path, folder)).toMatch(/^2 E_EXPERIMENT .*at most 32 names/);
  const value = ['train', file, '--set', `fit=${nested('[', ']', 30_000)}`];
  expect(await refusal(value, folder)).toMatch(/^2 E_EXPERIMENT .*at most 32 levels/);
});

test('numbers beyond all memory are refused', async () => {
  const folder = temporaryFolder();
  const bench = 'bench --network mobilenet_cifar10 --batch-size 1000000000'.split(' ');
  expect(await refusal(bench, folder)).toMatch(/^2 E_ARGUMENT expected at most \d+ images of 3 x 32 x 32/);
});

test('control characters of a file never reach the terminal', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'colours.json');
  writeFileSync(file, '{"name":"x","\\u001b[31moops":1}');
  const { stderr } = await splitgrow(['train', file], {}, folder);
  expect(stderr).not.toContain('\u001b');
});
