// Which network a path means: the directory itself, or of a run's folder what it hands over, else its last stage.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readGraph } from '../../lib/train/network.js';
import { networkFolder } from '../../lib/train/run-folder.js';
import { temporaryFolder } from '../run/tiny.js';

function networkIn(...path: readonly string[]): string {
  const directory = join(...path);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'network.json'), '{}');
  return directory;
}

test('a run folder means its best, without one its last stage that holds a network, and a network means itself', async () => {
  const run = temporaryFolder();
  for (const stage of [0, 2, 10]) networkIn(run, `stage-${stage}`);
  mkdirSync(join(run, 'stage-11'));
  networkIn(run, 'stage-x');
  expect(await networkFolder(run)).toBe(join(run, 'stage-10'));
  const best = networkIn(run, 'best');
  expect(await networkFolder(run)).toBe(best);
  expect(await networkFolder(best)).toBe(best);
  networkIn(run);
  expect(await networkFolder(run)).toBe(run);
  rmSync(join(run, 'network.json'));
  expect(await networkFolder(run)).toBe(best);
});

test('a folder that is neither is refused by its own name', async () => {
  const folder = temporaryFolder();
  await expect(readGraph(folder)).rejects.toMatchObject({
    code: 'E_FILE',
    message: expect.stringContaining(
      `network ${folder}: expected a directory with network.json, or a run's folder`,
    ),
  });
});
