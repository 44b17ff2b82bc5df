// MorphNet's penalties against derivatives of the regulariser written out over named layers, and against the authors' table of resolutions.
import { expect, test } from 'vitest';
import { macs } from '../../../lib/graph/cost.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { lower } from '../../../lib/graph/lower.js';
import { widths } from '../../../lib/graph/print.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import type { TensorData } from '../../../lib/native/face.js';
import {
  aliveGraph,
  expandTo,
  type MorphNetVariant,
  morphnetPenalty,
  slimmingPenalty,
  withGammas,
} from '../../../lib/rivals/networks/morphnet.js';
import { floats, graphOf, numbersOf } from '../../native/golden.js';
import { assertClose, codeOf, randomOf } from '../../reference.js';

/** A stem, an inverted residual whose projection is tied to it, a layer without a norm, a classifier behind a flatten. */
const GRAPH = graphOf(
  [3, 8, 8],
  [
    ['stem', 'conv2d', 'input', { out: 5, kernel: 3 }],
    ['stem_bn', 'batch_norm', 'stem'],
    ['act', 'activation', 'stem_bn', { kind: 'relu' }],
    ['up', 'conv2d', 'act', { out: 7, kernel: 1 }],
    ['up_bn', 'batch_norm', 'up'],
    ['dw', 'depthwise_conv2d', 'up_bn', { kernel: 3 }],
    ['dw_bn', 'batch_norm', 'dw'],
    ['down', 'conv2d', 'dw_bn', { out: 5, kernel: 1 }],
    ['down_bn', 'batch_norm', 'down'],
    ['sum', 'add', ['act', 'down_bn']],
    ['bare', 'conv2d', 'sum', { out: 4, kernel: 3, stride: 2 }],
    ['flat', 'flatten', 'bare'],
    ['out', 'linear', 'flat', { out: 6 }],
  ],
);
type Scales = Readonly<Record<'stem_bn' | 'up_bn' | 'dw_bn' | 'down_bn', number[]>>;
const THRESHOLD = 0.3;

function randomScales(seed: number): Scales {
  const random = randomOf(seed);
  const of = (n: number): number[] =>
    Array.from({ length: n }, () => Math.fround((random() - 0.5) * 2 * (random() < 0.4 ? 0.4 : 2)));
  return { stem_bn: of(5), up_bn: of(7), dw_bn: of(7), down_bn: of(5) };
}
const tensors = (scales: Scales): ReadonlyMap<string, TensorData> =>
  new Map(
    Object.entries(scales).map(([id, values]) => [
      `${id}.weight`,
      floats([values.length], (i) => values[i] ?? 0),
    ]),
  );

const tied = (...members: readonly number[][]): number[] =>
  (members[0] ?? []).map((_, i) => Math.max(...members.map((m) => Math.abs(m[i] ?? 0))));
const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);

/** R / lambda by the letter, alive counts fixed: 2 FLOPs a MAC, every layer written out. */
function regulariser(scales: Scales, alive: { readonly trunk: number; readonly inner: number }): number {
  const trunk = sum(tied(scales.stem_bn, scales.down_bn));
  const inner = sum(tied(scales.up_bn, scales.dw_bn));
  const area = 64;
  return (
    2 * 9 * area * (3 * trunk + alive.trunk * 0) +
    2 * area * (alive.trunk * inner + alive.inner * trunk) +
    2 * 9 * area * (inner + inner) +
    2 * area * (alive.inner * trunk + alive.trunk * inner) +
    2 * 9 * 16 * (alive.trunk * 0 + 4 * trunk)
  );
}

test('the official coefficients are lambda times the derivatives of the regulariser by every gamma', () => {
  const [lambda, step] = [1e-3, 2 ** -12];
  for (let seed = 0; seed < 20; seed += 1) {
    const scales = randomScales(seed);
    const count = (values: readonly number[]): number => values.filter((x) => x > THRESHOLD).length;
    const alive = {
      trunk: count(tied(scales.stem_bn, scales.down_bn)),
      inner: count(tied(scales.up_bn, scales.dw_bn)),
    };
    const options = { lambda, variant: 'official', threshold: THRESHOLD } as const;
    const penalty = morphnetPenalty(GRAPH, tensors(scales), options);
    expect([...penalty.keys()].sort()).toEqual(
      Object.keys(scales)
        .map((id) => `${id}.weight`)
        .sort(),
    );
    for (const [id, values] of Object.entries(scales)) {
      const slopes = values.map((x, i) => {
        const at = (y: number): number =>
          regulariser({ ...scales, [id]: values.map((old, j) => (j === i ? y : old)) }, alive);
        // Piecewise linear: exact where no kink lies within the step.
        return (lambda * (at(x + step) - at(x - step))) / (2 * step);
      });
      const got = Array.from(penalty.get(`${id}.weight`) ?? [], (c, i) => c * Math.sign(values[i] ?? 0));
      // float32 coefficients; differences in float64 of a function of some thousands
      assertClose(got, slopes, { rtol: 1e-5, atol: 1e-6, note: `seed ${seed}, ${id}` });
    }
  }
});

test('of tied gammas of one size only the first is penalised', () => {
  const ones = {
    stem_bn: [1, 1, 1, 1, 1],
    up_bn: Array(7).fill(1),
    dw_bn: Array(7).fill(-1),
    down_bn: [1, 1, 1, 1, 1],
  };
  const penalty = morphnetPenalty(GRAPH, tensors(ones), { lambda: 1, variant: 'official', threshold: 0 });
  expect([...(penalty.get('dw_bn.weight') ?? [])]).toEqual(Array(7).fill(0));
  expect([...(penalty.get('down_bn.weight') ?? [])]).toEqual(Array(5).fill(0));
  // 2 * 64 * 5 for `up`, as much for `down`, 2 * 2 * 9 * 64 for the depthwise filter.
  expect([...(penalty.get('up_bn.weight') ?? [])]).toEqual(Array(7).fill(640 + 640 + 2304));
});

test("the authors' coefficients are those of their table of resolutions, on stem and pointwise batch norms alone", () => {
  const graph = buildPreset('mobilenet_cifar100', { width: 2 });
  const widthsOf = [8, 8, 8, 8, 16, 16, 24, 24, 24, 24, 24, 24, 32, 32].map((w) => 2 * w);
  const resolutions = [32, 32, 16, 16, 8, 8, 4, 4, 4, 4, 4, 4, 2, 2];
  const penalty = morphnetPenalty(graph, new Map(), { lambda: 0.5, variant: 'authors', threshold: 0.01 });
  const ids = widthsOf.map((_, i) => (i === 0 ? 'stem_bn' : `b${i}_pw_bn`));
  expect([...penalty.keys()]).toEqual(ids.map((id) => `${id}.weight`));
  for (const [i, id] of ids.entries()) {
    const area = (at: number): number => (resolutions[at] ?? 0) ** 2;
    const own = (i === 0 ? 9 * 3 : (widthsOf[i - 1] ?? 0)) * area(i);
    const flops = own + (i === 0 ? 0 : 9 * area(i)) + (i === 13 ? 100 : area(i + 1));
    const want = Array(widthsOf[i]).fill(0.5 * flops);
    expect([...(penalty.get(`${id}.weight`) ?? [])], id).toEqual(want);
  }
});

test('slimming pushes every gamma right behind a splittable layer alike, and none behind a depthwise convolution', () => {
  const penalty = slimmingPenalty(GRAPH, { strength: 0.25 });
  expect(penalty).toEqual(
    new Map([
      ['stem_bn.weight', new Float32Array(5).fill(0.25)],
      ['down_bn.weight', new Float32Array(5).fill(0.25)],
      ['up_bn.weight', new Float32Array(7).fill(0.25)],
    ]),
  );
});

test('gammas start from the value given; all other tensors are handed on', () => {
  const weights = new Map([
    ...tensors(randomScales(1)),
    ['stem.weight', floats([5, 3, 3, 3], (i) => i)] as const,
  ]);
  const started = withGammas(GRAPH, weights, 0.5);
  expect([...started.keys()]).toEqual([...weights.keys()]);
  for (const id of ['stem_bn', 'up_bn', 'dw_bn', 'down_bn'])
    expect(new Set(numbersOf(started, `${id}.weight`))).toEqual(new Set([0.5]));
  expect(started.get('stem.weight')).toBe(weights.get('stem.weight'));
});

test("the shrunk graph has as many channels as are alive in any tied norm, the authors' in those behind layers, at least 1", () => {
  const scales = {
    stem_bn: [0.5, 0.1, 0.1, 0, -0.5],
    down_bn: [0.1, -0.5, 0.1, 0, 0.5],
    up_bn: [0, 0, 0, 0, 0, 0, 0.2],
    dw_bn: [0, 0.4, 0, 0, 0, 0, 0],
  };
  const shrunk = (variant: MorphNetVariant, threshold: number): Readonly<Record<string, number>> =>
    widths(aliveGraph(GRAPH, tensors(scales), { variant, threshold }));
  expect(shrunk('official', 0.3)).toEqual({ stem: 3, up: 1, down: 3, bare: 4, out: 6 });
  expect(shrunk('official', 0.15)).toEqual({ stem: 3, up: 2, down: 3, bare: 4, out: 6 });
  expect(shrunk('authors', 0.15)).toEqual({ stem: 3, up: 1, down: 3, bare: 4, out: 6 });
  expect(shrunk('official', 9)).toEqual({ stem: 1, up: 1, down: 1, bare: 4, out: 6 });
  expect(shrunk('official', 0.5)).toEqual({ stem: 1, up: 1, down: 1, bare: 4, out: 6 });
});

test('expansion is the widest multiple of at most the target, also where that is narrower', () => {
  const of = (width: number): Graph => buildPreset('mobilenet_cifar10', { width });
  for (const width of [1, 3, 8, 12]) {
    const { graph, multiplier } = expandTo(of(8), macs(of(width + 1)) - 1);
    expect(graph).toEqual(of(width));
    expect(multiplier).toBe(width / 8);
  }
  expect(codeOf(() => expandTo(of(8), macs(of(1)) - 1))).toBe('E_ARGUMENT');
});

test('negative strengths and thresholds, and scales that do not fit, are refused', () => {
  const weights = tensors(randomScales(1));
  const options = { lambda: 1, variant: 'official', threshold: 0.1 } as const;
  for (const change of [{ lambda: -1 }, { lambda: Number.NaN }, { threshold: -1 }])
    expect(codeOf(() => morphnetPenalty(GRAPH, weights, { ...options, ...change }))).toBe('E_ARGUMENT');
  expect(codeOf(() => slimmingPenalty(GRAPH, { strength: -1 }))).toBe('E_ARGUMENT');
  expect(codeOf(() => aliveGraph(GRAPH, weights, { variant: 'authors', threshold: -1 }))).toBe('E_ARGUMENT');
  expect(codeOf(() => morphnetPenalty(GRAPH, new Map(), options))).toBe('E_WEIGHTS');
  expect(codeOf(() => aliveGraph(GRAPH, new Map(), options))).toBe('E_WEIGHTS');
});

test('every penalty names trained tensors of the network, of their lengths', () => {
  const graph = buildPreset('mobilenet_v2', { width: 0.3, resolution: 32, classes: 5 });
  const shapes = new Map(
    lower(graph).instructions.flatMap(({ parameters }) => parameters.map((p) => [p.name, p.shape] as const)),
  );
  const weights = new Map([...shapes].map(([name, shape]) => [name, floats(shape, () => 1)] as const));
  const options = { lambda: 1e-9, threshold: 0.01 };
  for (const penalty of [
    slimmingPenalty(graph, { strength: 1e-4 }),
    morphnetPenalty(graph, weights, { ...options, variant: 'official' }),
    morphnetPenalty(graph, weights, { ...options, variant: 'authors' }),
  ]) {
    expect(penalty.size).toBeGreaterThan(20);
    for (const [name, values] of penalty) expect([values.length], name).toEqual(shapes.get(name));
  }
});
