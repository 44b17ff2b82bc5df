// Products S v of the splitting matrices, and the indices of both methods, against float64.
import { expect, test } from 'vitest';
import { depthwiseNorms } from '../../../lib/graph/readers.js';
import { indexing, largest, type Precision } from '../golden.js';
import { assertAgree, distance, norm, type Results, type Start } from './agreement.js';
import { startAwayFromKinks, startOf } from './nets.js';
import { indicesOf, PLAIN_STEPS } from './splitting.js';
import { everyOp, invertedNet, mobileNet, residualNet, wideNet } from './whole-nets.js';

const starts: Readonly<Record<string, () => Promise<Start>>> = {
  'MobileNet with silu': () => startAwayFromKinks(mobileNet('silu'), 40, 1, 'eval'),
  'MobileNet with relu': () => startAwayFromKinks(mobileNet('relu'), 3, 2, 'eval'),
  'residual net of dense 3 x 3 with gelu': () => startAwayFromKinks(residualNet('gelu'), 33, 3, 'eval'),
  'residual net of dense 3 x 3 with relu': () => startAwayFromKinks(residualNet('relu'), 3, 4, 'eval'),
  'inverted bottlenecks with relu6': () => startAwayFromKinks(invertedNet('relu6'), 5, 5, 'eval'),
  'inverted bottlenecks with softplus': () => startAwayFromKinks(invertedNet('softplus'), 17, 6, 'eval'),
  'inverted bottlenecks with tanh': () => startAwayFromKinks(invertedNet('tanh'), 65, 7, 'eval'),
  'wide layers with silu': () => startAwayFromKinks(wideNet('silu'), 18, 9, 'eval'),
  'every op with silu': () => startAwayFromKinks(everyOp('silu'), 4, 8, 'eval'),
};

/** Second derivatives cancel near their zeros, and g comes through a whole backward pass. LibTorch's worst is 3e-6. */
const CLOSE = 2e-5;

for (const [name, made] of Object.entries(starts)) {
  const fields = { identityCurvature: 1 } as const;

  test(`exact indices of ${name} agree with float64, in one minibatch, in several and in several sweeps`, async () => {
    const start = await made();
    for (const more of [{}, { batch: 16 }, { memoryLimit: 20_000 }]) {
      const options = indexing(start.graph, 'exact', { ...fields, ...more });
      const [narrow, wide] = [
        await indicesOf(start, 'float32', options),
        await indicesOf(start, 'float64', options),
      ];
      const kept = (results: Results): Results =>
        new Map([...results].filter(([id]) => !/^(residuals|directions)/.test(id)));
      assertAgree(kept(narrow), kept(wide), JSON.stringify(more), () => CLOSE);
      for (const [id, residuals] of narrow)
        if (id.startsWith('residuals of '))
          expect(norm(residuals), id).toBeLessThan(
            CLOSE * norm(wide.get(id.replace('residuals', 'indices')) ?? []),
          );
    }
  });

  test(`products S v of ${name}, and quotients and residuals by them, agree with float64`, async () => {
    const start = await made();
    const exact = await indicesOf(start, 'float64', indexing(start.graph, 'exact', fields));
    const all = [...exact].flatMap(([id, values]) => (id.startsWith('indices of ') ? [...values] : []));
    // One long step, or several short ones: many long ones enlarge roundings.
    for (const [rate, more] of [
      [100, { batch: 65 }],
      [1, { batch: 16, seed: 5 }],
      [100, { batch: 65, seed: 6, identityCurvature: 0 }],
    ] as const) {
      const given = { ...fields, ...more, ...PLAIN_STEPS, epochs: 2, rmsEpsilon: largest(all) };
      const of = (dtype: Precision, learningRate: number) =>
        indicesOf(start, dtype, indexing(start.graph, 'rayleigh', { ...given, learningRate }));
      const [narrow, wide] = [await of('float32', rate), await of('float64', rate)];
      assertAgree(narrow, wide, JSON.stringify(more), () => CLOSE);
      if (rate === 1 || given.identityCurvature === 0) continue;
      // The step is long enough to be seen.
      const still = await of('float64', 0);
      for (const [id, values] of wide)
        if (id.startsWith('directions of '))
          expect(distance(values, still.get(id) ?? []), id).toBeGreaterThan(0.1);
    }
  });
}

test('indices with the depthwise batch norms in training mode agree with float64, and move their statistics alike', async () => {
  const start = await startAwayFromKinks(invertedNet('silu'), 40, 9, 'eval');
  const trainedNorms = depthwiseNorms(start.graph);
  expect(trainedNorms).toHaveLength(3);
  for (const method of ['exact', 'rayleigh'] as const) {
    const options = indexing(start.graph, method, {
      ...PLAIN_STEPS,
      trainedNorms,
      batch: 16,
      rmsEpsilon: 1,
    });
    const [narrow, wide] = [
      await indicesOf(start, 'float32', options),
      await indicesOf(start, 'float64', options),
    ];
    const kept = (results: Results): Results =>
      new Map([...results].filter(([id]) => /^indices|running/.test(id)));
    assertAgree(kept(narrow), kept(wide), method, () => CLOSE);
  }
});

test('a chain that leads nowhere has products and indices of 0 beside the others', async () => {
  const live = mobileNet('silu');
  const dead = [
    { id: 'dead', op: 'conv2d', inputs: ['a_act'], out: 5, kernel: 3 },
    { id: 'dead_norm', op: 'batch_norm', inputs: ['dead'] },
    { id: 'dead_act', op: 'activation', inputs: ['dead_norm'], kind: 'silu' },
  ] as const;
  // Not checked: a network file must not have such nodes.
  const start = startOf({ ...live, nodes: [...live.nodes, ...dead] }, 20, 4);
  for (const method of ['exact', 'rayleigh'] as const) {
    const options = indexing(start.graph, method, { ...PLAIN_STEPS, epochs: 2, rmsEpsilon: 1 });
    const [narrow, wide] = [
      await indicesOf(start, 'float32', options),
      await indicesOf(start, 'float64', options),
    ];
    const kept = (results: Results): Results =>
      new Map([...results].filter(([id]) => id.startsWith('indices of ')));
    assertAgree(kept(narrow), kept(wide), method, () => CLOSE);
    expect([...(narrow.get('indices of dead') ?? [])], method).toEqual([0, 0, 0, 0, 0]);
  }
});
