import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { splitgrow } from '../cli/command-line.js';
import { numbersOf } from '../native/golden.js';
import { assertClose } from '../reference.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';

test('two ranks average to what one process averages to, statistics and all', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder, { train: 50, test: 16 });
  const file = join(folder, 'experiment.json');
  const average = { decay: 0.8, every: 2, warmup: 1 };
  const fit = { epochs: 2, batch: 16, syncBatchNorm: true, average };
  const { stop: _stop, ...experiment } = tinyExperiment(folder);
  await writeFile(file, JSON.stringify({ ...experiment, fit }));
  const [one, several] = [join(folder, 'one'), join(folder, 'several')];
  const train = (output: string): string[] => ['train', file, '--set', `output=${output}`, '--json'];
  const alone = await splitgrow(train(one));
  expect(alone.code, alone.stderr).toBe(0);
  const together = await splitgrow(['launch', '--processes', '2', '--', ...train(several)]);
  expect(together.code, together.stderr).toBe(0);
  const [a, b, raw] = await Promise.all(
    [one, several, join(one, 'checkpoint-0-2')].map((at) => readSafetensors(join(at, 'weights.safetensors'))),
  );
  if (a === undefined || b === undefined || raw === undefined) throw new Error('no weights');
  for (const name of a.keys()) {
    expect(numbersOf(a, name), name).not.toEqual(numbersOf(raw, name));
    // Sums of float32 in another order, through eight minibatches with batch norm.
    assertClose(numbersOf(b, name), numbersOf(a, name), { rtol: 2e-3, atol: 2e-5, note: name });
  }
});
