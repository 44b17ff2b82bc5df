// Rescaled offspring: the algebra of batch norm done again in doubles, and the function before and after.
import { expect, test } from 'vitest';
import { grow, type Plan } from '../../../lib/graph/grow.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { lower } from '../../../lib/graph/lower.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import type { DatasetHandle, TensorData, TensorMap } from '../../../lib/native/face.js';
import { loadCore } from '../../../lib/native/load.js';
import { computeIndices } from '../../../lib/split/indices/indices.js';
import { INDEX_DEFAULTS } from '../../../lib/split/indices/settings.js';
import { FUNCTION_TOLERANCE, relativeChange, splitChecked } from '../../../lib/split/step/offspring.js';
import { withRescaled } from '../../../lib/split/step/rescale.js';
import { type Network, networkOf } from '../../../lib/train/network.js';
import { graphOf, numbersOf, tensorOf } from '../../native/golden.js';
import { assertClose } from '../../reference.js';
import { convGraph, IMAGES, trainedNetwork } from '../nets.js';

const TINY = { blocks: 2, width: 4, activation: 'silu', resolution: 8, channels: 1, classes: 4 };
const depthwise = (): Graph => buildPreset('mobilenet_cifar10', TINY);
const POWERS = [0.5, 1] as const;

interface Net {
  readonly graph: () => Graph;
  readonly splits: Plan['splits'];
  /** The node before each batch norm whose channels a split widens, and that norm. */
  readonly normed: Readonly<Record<string, string>>;
}

/** b and c are tied by the add: naming b splits both. */
const NETS: Readonly<Record<string, Net>> = {
  residual: {
    graph: convGraph,
    splits: { a: [0, 2], b: [4, 1, 4], d: [5] },
    normed: { a: 'a_bn', b: 'b_bn', c: 'c_bn', d: 'd_bn' },
  },
  depthwise: {
    graph: depthwise,
    splits: { stem: [3, 3], b1_pw: [0, 1, 0], b2_pw: [2] },
    normed: {
      stem: 'stem_bn',
      b1_dw: 'b1_dw_bn',
      b1_pw: 'b1_pw_bn',
      b2_dw: 'b2_dw_bn',
      b2_pw: 'b2_pw_bn',
      b3_dw: 'b3_dw_bn',
    },
  },
};

/** Share of every channel after the picks, by hand: 1/2 + delta stays, 1/2 - delta goes to the end. */
function sharesOf(neurons: number, picks: readonly number[], delta: number): readonly number[] {
  const shares = Array.from({ length: neurons }, () => 1);
  for (const pick of picks) {
    const whole = shares[pick] ?? Number.NaN;
    shares[pick] = whole * (0.5 + delta);
    shares.push(whole * (0.5 - delta));
  }
  return shares;
}

const tensors = ({ handle }: Network, what: 'weights' | 'momentum' = 'weights'): TensorMap =>
  new Map(loadCore().readNetwork(handle, what));
const logitsOf = ({ handle }: Network, data: DatasetHandle): Promise<TensorData> =>
  loadCore().forward(handle, data, { mode: 'eval', batch: 32 });

async function grown(name: string, delta: number) {
  const { graph, splits, normed } = NETS[name] ?? { graph: convGraph, splits: {}, normed: {} };
  const { network, data } = await trainedNetwork(graph());
  const growth = grow(network.graph, { splits }, { outgoingDelta: delta });
  const args = [growth.surgery, null, 0, 'keep'] as const;
  const handle = await loadCore().rewrite(network.handle, lower(growth.graph), ...args);
  return { start: network, still: networkOf(growth.graph, handle), data, splits, normed, ...growth };
}

/** Picks of the group that a node's channels belong to. */
const picksAt = (splits: Plan['splits'], node: string): readonly number[] =>
  splits[{ c: 'b', b1_dw: 'stem', b2_dw: 'b1_pw', b3_dw: 'b2_pw' }[node] ?? node] ?? [];

for (const name of Object.keys(NETS)) {
  for (const delta of [0, 0.3]) {
    for (const power of POWERS) {
      test(`${name}, delta ${delta}: weights before a batch norm are share^${power} times as long, and the norm undoes it`, async () => {
        const { start, still, data, splits, normed, surgery } = await grown(name, delta);
        const scaled = withRescaled(still, surgery, { power, device: 'cpu' });
        const [old, before, after] = [tensors(start), tensors(still), tensors(scaled)];
        const untouched = new Set(after.keys());
        for (const [node, norm] of Object.entries(normed)) {
          const neurons = tensorOf(old, `${norm}.weight`).shape[0] ?? 0;
          const shares = sharesOf(neurons, picksAt(splits, node), delta);
          const rows = (map: TensorMap, tensor: string): readonly Float64Array[] => {
            const flat = numbersOf(map, tensor);
            const size = flat.length / shares.length;
            return shares.map((_, i) => flat.slice(i * size, (i + 1) * size));
          };
          const all = ['weight', 'bias', 'running_mean', 'running_var'].map((one) => `${norm}.${one}`);
          const [gamma = '', beta = '', mean = '', variance = ''] = all;
          const at = (map: TensorMap, tensor: string, i: number): number => numbersOf(map, tensor)[i] ?? 0;
          for (const [i, share] of shares.entries()) {
            const f = share ** power;
            const [was = [], is = []] = [rows(before, `${node}.weight`)[i], rows(after, `${node}.weight`)[i]];
            const note = `${node} ${i}, float32`;
            if (share === 1) {
              expect([...is], note).toEqual([...was]);
              for (const one of all) expect(at(after, one, i), note).toBe(at(before, one, i));
              continue;
            }
            const close = { rtol: 5e-7, atol: 0, note };
            assertClose(
              is,
              [...was].map((weight) => f * weight),
              close,
            );
            assertClose([Math.hypot(...is)], [f * Math.hypot(...was)], close);
            // For x before the norm: gamma (x - mean) / sqrt(var + eps) + beta, of f x in the rescaled one.
            const spread = Math.sqrt(at(before, variance, i));
            for (const x of [-2, 0.5, 3].map((t) => at(before, mean, i) + t * spread)) {
              const value = (map: TensorMap, input: number): number =>
                (at(map, gamma, i) * (input - at(map, mean, i))) / Math.sqrt(at(map, variance, i) + 1e-5) +
                at(map, beta, i);
              // Mean, variance and scale are each rounded to 6e-8 of themselves.
              const size = Math.abs(at(before, gamma, i)) * (3 + Math.abs(at(before, mean, i)) / spread);
              assertClose([value(after, f * x)], [value(before, x)], { rtol: 0, atol: 1e-6 * size, note });
            }
            expect(at(after, beta, i), note).toBe(at(before, beta, i));
          }
          for (const tensor of [`${node}.weight`, ...all]) untouched.delete(tensor);
        }
        expect(untouched.size).toBeGreaterThan(0);
        for (const tensor of untouched)
          expect([...numbersOf(after, tensor)], tensor).toEqual([...numbersOf(before, tensor)]);
        const error = relativeChange(await logitsOf(start, data), await logitsOf(scaled, data));
        expect(error).toBeLessThan(FUNCTION_TOLERANCE);
      });
    }
  }
}

test('shrinking multiplies the weights of every layer that a batch norm reads, offspring by their share besides, and keeps the function', async () => {
  // b3_pw is not split, and read by a norm like the others.
  const layers = {
    residual: ['a', 'b', 'c', 'd'],
    depthwise: ['stem', 'b1_dw', 'b1_pw', 'b2_dw', 'b2_pw', 'b3_dw', 'b3_pw'],
  };
  const shrink = 0.7;
  for (const [name, normed] of Object.entries(layers)) {
    for (const power of [0, 0.5]) {
      const { start, still, data, splits, graph, surgery } = await grown(name, 0.2);
      const scaled = withRescaled(still, surgery, { power, shrink, device: 'cpu' });
      const [old, before, after] = [tensors(start), tensors(still), tensors(scaled)];
      const untouched = new Set(after.keys());
      for (const layer of normed) {
        const width = tensorOf(old, `${layer}.weight`).shape[0] ?? 0;
        const factors = sharesOf(width, picksAt(splits, layer), 0.2).map((share) => shrink * share ** power);
        const was = numbersOf(before, `${layer}.weight`);
        const close = { rtol: 5e-7, atol: 0, note: `${layer}, float32` };
        const want = was.map((x, i) => x * (factors[Math.floor((i * factors.length) / was.length)] ?? 0));
        assertClose(numbersOf(after, `${layer}.weight`), want, close);
        untouched.delete(`${layer}.weight`);
        for (const one of ['weight', 'running_mean', 'running_var']) untouched.delete(`${layer}_bn.${one}`);
      }
      const rest = graph.nodes.filter(({ op }) => op === 'batch_norm' || op === 'linear').length;
      // Shifts of the norms, and both tensors of the classifier.
      expect(untouched.size, [...untouched].join(' ')).toBe(rest + 1);
      for (const tensor of untouched)
        expect([...numbersOf(after, tensor)], tensor).toEqual([...numbersOf(before, tensor)]);
      const error = relativeChange(await logitsOf(start, data), await logitsOf(scaled, data));
      expect(error).toBeLessThan(FUNCTION_TOLERANCE);
    }
  }
});

test('a factor of 1 and a power of 0 change no bit', async () => {
  const { still, surgery } = await grown('depthwise', 0);
  const scaled = withRescaled(still, surgery, { power: 0, shrink: 1, device: 'cpu' });
  expect(tensors(scaled)).toEqual(tensors(still));
});

test('momentum is what it was', async () => {
  for (const name of Object.keys(NETS)) {
    const { still, surgery } = await grown(name, 0);
    const scaled = withRescaled(still, surgery, { power: 0.5, device: 'cpu' });
    const before = loadCore().readNetwork(still.handle, 'momentum');
    expect(before.some(([, { data }]) => data.some((byte) => byte !== 0))).toBe(true);
    expect(loadCore().readNetwork(scaled.handle, 'momentum')).toEqual(before);
  }
});

test('a step with rescaled offspring keeps the function at 0, and takes them where it would without, but shorter', async () => {
  for (const { graph, splits } of Object.values(NETS)) {
    const { network, data } = await trainedNetwork(graph());
    const settings = { ...INDEX_DEFAULTS, method: 'exact', images: IMAGES, seed: 0 } as const;
    using indices = await computeIndices(network, data, settings);
    const layers = new Map(indices.chains.map((chain) => [chain.id, chain.indices]));
    const probe = { data, images: IMAGES, batch: 32 };
    for (const momentum of ['keep', 'reset'] as const) {
      const step = (power: number | null) =>
        splitChecked(network, { splits }, indices.directions, probe, {
          ...{ epsilon: 0.2, grid: [], epsilonScale: 'relative', outgoingDelta: 0.2, momentum },
          ...{ indices: layers, rescale: power === null ? null : { power, device: 'cpu' } },
        });
      const plain = await step(null);
      for (const power of POWERS) {
        const { network: scaled, step: record } = await step(power);
        expect(record.functionError).toBeLessThan(FUNCTION_TOLERANCE);
        expect(record.predictedDecrease).toBe(plain.step.predictedDecrease);
        const change = relativeChange(await logitsOf(plain.network, data), await logitsOf(scaled, data));
        expect(change).toBeLessThan(FUNCTION_TOLERANCE);
        const kept = tensors(scaled, 'momentum');
        expect([...kept]).toEqual([...tensors(plain.network, 'momentum')]);
        const isZero = [...kept.values()].every(({ data: bytes }) => bytes.every((byte) => byte === 0));
        expect(isZero).toBe(momentum === 'reset');
      }
    }
  }
});

test('layers without a batch norm of their own, and biases before one, are told apart', async () => {
  const graph = graphOf(
    [1, 8, 8],
    [
      ['bare', 'conv2d', 'input', { out: 3, kernel: 3 }],
      ['act', 'activation', 'bare', { kind: 'silu' }],
      ['biased', 'conv2d', 'act', { out: 4, kernel: 3, bias: true }],
      ['one', 'batch_norm', 'biased'],
      ['two', 'batch_norm', 'one', { eps: 1e-2 }],
      ['forked', 'conv2d', 'two', { out: 4, kernel: 1 }],
      ['fork_bn', 'batch_norm', 'forked'],
      ['sum', 'add', ['fork_bn', 'forked']],
      ['pool', 'global_avg_pool', 'sum'],
      ['classifier', 'linear', 'pool', { out: 4 }],
    ],
  );
  const { network, data } = await trainedNetwork(graph);
  const { graph: wider, surgery } = grow(graph, { splits: { bare: [1], biased: [0, 0], forked: [2] } });
  const handle = await loadCore().rewrite(network.handle, lower(wider), surgery, null, 0, 'reset');
  const still = networkOf(wider, handle);
  const scaled = withRescaled(still, surgery, { power: 0.5, device: 'cpu' });
  const [before, after] = [tensors(still), tensors(scaled)];
  for (const layer of ['bare', 'forked'])
    expect(tensorOf(after, `${layer}.weight`), layer).toEqual(tensorOf(before, `${layer}.weight`));
  // Split twice: a quarter in place, a quarter and a half at the end.
  const factors = [0.5, 1, 1, 1, Math.SQRT1_2, 0.5];
  const want = numbersOf(before, 'biased.bias').map((value, i) => value * (factors[i] ?? 0));
  assertClose(numbersOf(after, 'biased.bias'), want, { rtol: 1e-7, atol: 0, note: 'rounding to float32' });
  const error = relativeChange(await logitsOf(still, data), await logitsOf(scaled, data));
  expect(error).toBeLessThan(FUNCTION_TOLERANCE);
});
