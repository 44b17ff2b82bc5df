// Whole runs on networks with residual ties: MobileNetV2 with both shortcuts, with and without a surrogate, and ResNet-18.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grow } from '../../lib/api/grow.js';
import type { StageRecord, Summary } from '../../lib/run/store/records.js';
import { asRead, readJson, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

async function oneStage(network: object, set: readonly string[]) {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const experiment = { ...tinyExperiment(folder), network };
  const summary: Summary = await grow({
    experiment: asRead(experiment),
    set: ['stop.stages=1', 'fit.epochs=1', 'splitting.method=exact', ...set],
  });
  const record = await readJson<StageRecord>(join(folder, 'run'), 'stage-0', 'stage.json');
  const [before, after] = summary.stages;
  const grown = Object.entries(before?.widths ?? {}).flatMap(([id, width]) =>
    (after?.widths[id] ?? 0) > width ? [id] : [],
  );
  expect(after?.macs).toBeGreaterThan(1.3 * (before?.macs ?? 0));
  expect(after?.macs).toBeLessThanOrEqual(1.5 * (before?.macs ?? 0));
  // The check of every stage: what step 0 moved the logits by, of the largest one.
  expect(record.split?.step.functionError).toBeLessThan(1e-5);
  return { grown, after };
}

const isLinear = (id: string): boolean => /_(project|shortcut)$/.test(id);

for (const shortcut of ['identity', 'conv']) {
  for (const curvature of [0, 1]) {
    const how = curvature === 1 ? 'with' : 'without';
    test(`MobileNetV2 with shortcut "${shortcut}" grows ${how} a surrogate`, async () => {
      const network = { preset: 'mobilenet_v2', width: 0.1, round: 1, shortcut, activation: 'silu' };
      const { grown } = await oneStage(network, [`splitting.identityCurvature=${curvature}`]);
      expect(grown.some((id) => !isLinear(id))).toBe(true);
      expect(grown.some(isLinear)).toBe(curvature === 1);
    });
  }
}

test('ResNet-18 grows its tied stages together', async () => {
  const network = { preset: 'resnet18', width: 0.0625, stem: 'small' };
  const { grown, after } = await oneStage(network, ['splitting.identityCurvature=1']);
  // Which neurons are worth it depends on the weights; that some tied ones are, and that ties hold, does not.
  expect(grown.some((id) => id.endsWith('_shortcut'))).toBe(true);
  for (const [first, second] of [
    [3, 4],
    [5, 6],
    [7, 8],
  ]) {
    const tied = [`b${first}_conv2`, `b${first}_shortcut`, `b${second}_conv2`];
    expect(new Set(tied.map((id) => after?.widths[id])).size).toBe(1);
  }
});
