import { expect, test } from 'vitest';
import { macs } from '../../../lib/graph/cost.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import type { TensorData } from '../../../lib/native/face.js';
import { loadCore } from '../../../lib/native/load.js';
import { computeIndices } from '../../../lib/split/indices/indices.js';
import { INDEX_DEFAULTS } from '../../../lib/split/indices/settings.js';
import {
  FUNCTION_TOLERANCE,
  relativeChange,
  splitChecked,
  splitNetwork,
} from '../../../lib/split/step/offspring.js';
import { assertClose } from '../../reference.js';
import { convGraph, IMAGES, trainedNetwork } from '../nets.js';

type Splits = Readonly<Record<string, readonly number[]>>;
const ALL: Splits = { a: [0, 1, 2, 3], b: [0, 2, 4], d: [1, 5] };
const TINY = { blocks: 2, width: 4, activation: 'silu', resolution: 8, channels: 1, classes: 4 };
const OPTIONS = { grid: [0.1], momentum: 'reset' } as const;

async function prepared() {
  const { network, data } = await trainedNetwork(convGraph());
  const indices = await computeIndices(network, data, {
    ...INDEX_DEFAULTS,
    method: 'exact',
    images: IMAGES,
    seed: 0,
  });
  const sum = (plan: Splits): number =>
    indices.chains.reduce((total, { id, indices: values }) => {
      // b and c are tied: naming b splits both.
      const neurons = plan[id === 'c' ? 'b' : id] ?? [];
      return total + neurons.reduce((part, neuron) => part + (values[neuron] ?? 0), 0);
    }, 0);
  const layers = new Map(indices.chains.map((chain) => [chain.id, chain.indices]));
  return { network, data, indices, layers, sum, probe: { data, images: IMAGES, batch: 32 } };
}

test('the loss changes by sum(lambda) epsilon^2 / 2 to leading order, neighbouring and tied layers together', async () => {
  const { network, indices, layers, sum, probe } = await prepared();
  const plans: readonly Splits[] = [ALL, { a: [1] }, { b: [0, 1] }, { d: [0, 1, 2] }];
  for (const plan of plans) {
    const { step } = await splitChecked(network, { splits: plan }, indices.directions, probe, {
      ...OPTIONS,
      epsilon: 0.03,
      indices: layers,
    });
    // Rounding of a few sums in double.
    assertClose([step.predictedDecrease], [(-sum(plan) * 0.03 ** 2) / 2], { rtol: 1e-12, atol: 0 });
    // What is left is of order epsilon^4, and float32 rounding of the losses, about 1e-7.
    const atol = 0.05 * Math.abs(step.predictedDecrease) + 3e-7;
    expect(Math.abs(step.measuredDecrease - step.predictedDecrease), JSON.stringify(plan)).toBeLessThan(atol);
  }
});

test('step 0 keeps the logits, whatever is split', async () => {
  const { network, data, indices } = await prepared();
  const logits = (net: typeof network): Promise<TensorData> =>
    loadCore().forward(net.handle, data, { mode: 'eval', batch: 32 });
  const before = await logits(network);
  const plans: readonly Splits[] = [ALL, { a: [3, 3, 0] }, { c: [4] }];
  for (const plan of plans) {
    using grown = await splitNetwork(network, { splits: plan }, indices.directions, {
      epsilon: 0,
      momentum: 'reset',
    });
    expect(macs(grown.graph)).toBeGreaterThan(macs(network.graph));
    expect(relativeChange(before, await logits(grown))).toBeLessThan(FUNCTION_TOLERANCE);
  }
});

test('the line search takes the step of the grid with the lowest loss, and tells every loss', async () => {
  const { network, indices, layers, probe } = await prepared();
  const grid = [0.01, 0.1, 0.3, 1, 3];
  const { step } = await splitChecked(network, { splits: ALL }, indices.directions, probe, {
    ...OPTIONS,
    grid,
    epsilon: 'line-search',
    indices: layers,
  });
  expect(step.tried.map(({ epsilon }) => epsilon)).toEqual(grid);
  const least = Math.min(...step.tried.map(({ loss }) => loss));
  expect(step.lossAfter).toBe(least);
  expect(step.tried.find(({ epsilon }) => epsilon === step.epsilon)?.loss).toBe(least);
});

test('momentum is forgotten or shared out, as asked', async () => {
  const { network, indices } = await prepared();
  for (const [momentum, isKept] of [
    ['reset', false],
    ['keep', true],
  ] as const) {
    using grown = await splitNetwork(network, { splits: ALL }, indices.directions, {
      epsilon: 0.1,
      momentum,
    });
    const found = loadCore().readNetwork(grown.handle, 'momentum');
    const isZero = found.every(([, { data }]) => data.every((byte) => byte === 0));
    expect(isZero).toBe(!isKept);
  }
});

test('a change of the logits is relative to the largest of them, and NaN is never no change', () => {
  const tensor = (...values: number[]): TensorData => ({
    dtype: 'float32',
    shape: [values.length],
    data: new Uint8Array(new Float32Array(values).buffer),
  });
  expect(relativeChange(tensor(1, -4), tensor(1, -3))).toBe(0.25);
  expect(relativeChange(tensor(0, 0), tensor(0, 0))).toBe(0);
  expect(relativeChange(tensor(1, 2), tensor(Number.NaN, 2))).toBeNaN();
});

test('with every field of the step set, step 0 keeps the function and the record says what was done', async () => {
  for (const build of [convGraph, () => buildPreset('mobilenet_cifar10', TINY)]) {
    const { network, data } = await trainedNetwork(build());
    const settings = { ...INDEX_DEFAULTS, method: 'exact', images: IMAGES, seed: 0 } as const;
    using indices = await computeIndices(network, data, settings);
    const layers = new Map(indices.chains.map((chain) => [chain.id, chain.indices]));
    // Every layer at once, its first neuron twice.
    const splits = Object.fromEntries(indices.chains.map(({ id }) => [id, [0, 2, 0]]));
    for (const outgoingDelta of [0.4, -0.3]) {
      const probe = { data, images: IMAGES, batch: 32, statistics: 'batch' } as const;
      const { network: grown, step } = await splitChecked(network, { splits }, indices.directions, probe, {
        ...{ epsilon: 'line-search', grid: [0.05, 0.3], epsilonScale: 'relative', momentum: 'keep' },
        ...{ outgoingDelta, indices: layers, noise: { size: 0.05, seed: 1 } },
      });
      expect(step.functionError).toBeLessThan(FUNCTION_TOLERANCE);
      expect(step).toMatchObject({ epsilonScale: 'relative', statistics: 'batch', lossRecalibrated: null });
      const [again, before] = await Promise.all(
        [grown, network].map(({ handle }) =>
          loadCore().evaluate(handle, data, { batch: 32, statistics: 'batch' }, null, null),
        ),
      );
      expect([step.lossBefore, step.lossAfter]).toEqual([before?.loss, again?.loss]);
      grown.handle.dispose();
    }
  }
});
