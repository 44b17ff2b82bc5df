import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { splitgrow } from '../cli/command-line.js';
import { numbersOf } from '../native/golden.js';
import { assertClose } from '../reference.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';

test("two ranks' depthwise statistics drift as one process's do", async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder, { train: 50, test: 16 });
  const file = join(folder, 'experiment.json');
  const fields = { fit: { epochs: 0 }, stop: { stages: 1 } };
  const splitting = { method: 'exact', batch: 16, epsilon: 0.1, depthwiseBatchNorm: 'train' };
  await writeFile(file, JSON.stringify({ ...tinyExperiment(folder), ...fields, splitting }));
  const [one, several] = [join(folder, 'one'), join(folder, 'several')];
  const grow = (output: string): string[] => ['grow', file, '--set', `output=${output}`, '--json'];
  const alone = await splitgrow(grow(one));
  expect(alone.code, alone.stderr).toBe(0);
  const together = await splitgrow(['launch', '--processes', '2', '--', ...grow(several)]);
  expect(together.code, together.stderr).toBe(0);
  const weights = (folderOf: string, stage: number) =>
    readSafetensors(join(folderOf, `stage-${stage}`, 'weights.safetensors'));
  const [before, a, b] = await Promise.all([weights(one, 0), weights(one, 1), weights(several, 1)]);
  for (const name of ['b1_dw_bn.running_mean', 'b1_dw_bn.running_var', 'b3_dw_bn.running_var']) {
    const old = numbersOf(before, name);
    // Channels that were there before; copies follow the picks. Sums of float32 in another order.
    const [x, y] = [a, b].map((grown) => numbersOf(grown, name).slice(0, old.length));
    assertClose(y ?? [], x ?? [], { rtol: 1e-5, atol: 1e-6, note: name });
    expect(x).not.toEqual(old);
  }
});
