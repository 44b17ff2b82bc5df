// The certificate's bound where a cost is no sum of what each split alone adds.
import { expect, test } from 'vitest';
import { ownCost } from '../../lib/graph/caller-cost.js';
import { channelGroups } from '../../lib/graph/channels.js';
import { shapes } from '../../lib/graph/check.js';
import { params } from '../../lib/graph/cost.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { choose } from '../../lib/split/choose/strategy.js';
import { randomOf } from '../reference.js';

/** Concave: splits together cost less than the sum of what each alone adds. */
const root = ownCost('root', (graph) => 1 - Math.exp(-params(graph) / 400));

test('a cost that is not known to be superadditive is left out of the bound, which then holds', async () => {
  let violated = 0;
  for (let seed = 0; seed < 20; seed += 1) {
    const graph = buildPreset('mobilenet_cifar10', { blocks: 3, width: 8 });
    const random = randomOf(seed);
    const indices = new Map(
      channelGroups(graph)
        .filter(({ isSplittable }) => isSplittable)
        .map(({ id, neurons }) => [id, Float64Array.from({ length: neurons }, () => -random())] as const),
    );
    const asked = { growthRatio: 2, caps: { root: root.ofGraph(graph, shapes(graph)) + 0.02 } };
    const { certificate } = await choose(graph, indices, { ...asked, capped: [root] });
    const claimed = { ...root, isSuperadditive: true };
    const { certificate: wrong } = await choose(graph, indices, { ...asked, capped: [claimed] });
    expect(certificate.boundWithout, `seed ${seed}`).toEqual(['root']);
    expect(wrong).not.toHaveProperty('boundWithout');
    expect(certificate.objective, `seed ${seed}`).toBe(wrong.objective);
    expect(certificate.objective, `seed ${seed}`).toBeGreaterThanOrEqual(certificate.bound);
    const [, budget] = certificate.budgets;
    expect((budget?.after ?? 1) - (budget?.before ?? 0)).toBeLessThanOrEqual(0.02);
    if (wrong.objective < wrong.bound) violated += 1;
  }
  // What the relaxation with that budget would have claimed to be out of reach was reached.
  expect(violated).toBeGreaterThan(0);
});
