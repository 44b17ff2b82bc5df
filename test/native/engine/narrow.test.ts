// Wide layers in bfloat16 by the engine's own loops: against a float64 model that rounds what is multiplied, against float32,
// and to the same bits with any number of threads.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { bench } from '../../../lib/api/bench.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { withThreads } from '../../../lib/native/threads.js';
import { precisionOn } from '../../../lib/train/precision.js';
import {
  core,
  datasetOf,
  networkOf,
  numbers,
  numbersOf,
  rates,
  type ShortNode,
  training,
  weightsOf,
} from '../golden.js';
import { distance, norm, type Start } from './agreement.js';
import { around, cycled, startOf } from './nets.js';

const LOOPS = core().features().bfloat16.engine;
/** Where the processor has the loops; elsewhere the last tests hold what is there instead. */
const narrow = test.skipIf(LOOPS === '');
const BFLOAT16 = { precision: 'bfloat16' } as const;
/** A layer with fewer channels on one side stays in float32 (native/core/engine/flat_narrow.cc). */
const LEAST = 24;

/** To 8 bits of mantissa: the nearest, ties to even. */
function rounded(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  const [word = 0] = bits;
  bits[0] = ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) << 16;
  return new Float32Array(bits.buffer)[0] ?? Number.NaN;
}

test('the model rounds to the nearest bfloat16, ties to even', () => {
  const pairs = [
    [1 + 2 ** -8, 1],
    [1 + 3 * 2 ** -8, 1 + 2 ** -6],
    [1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
    [-3.1397, -3.140625],
  ] as const;
  for (const [x, want] of pairs) expect(rounded(x), `${x}`).toBe(want);
});

/** Loss and gradients of one training step. */
type Step = ReadonlyMap<string, Float64Array>;

async function stepOf(
  { graph, weights, batch, classes }: Start,
  options: object,
  threads = 1,
): Promise<Step> {
  const network = networkOf(graph, weights);
  const data = datasetOf(batch, classes);
  const images = batch.get('labels')?.shape[0] ?? 0;
  // From momentum of 0 the buffer is the gradient, and with rate 0 no weight moves.
  const step = training(images, [0], { momentum: 0.5, ...options });
  const { loss } = await withThreads(threads, () => core().train(network, data, step, null, null));
  const gradients = [...core().readNetwork(network, 'momentum')];
  for (const handle of [network, data]) handle.dispose();
  return new Map([
    ['loss', Float64Array.of(loss)],
    ...gradients.map(([name, tensor]): [string, Float64Array] => [name, numbers(tensor)]),
  ]);
}

/** before (1 x 1, of 2 channels) -> tanh -> wide -> tanh -> flat -> out: the graph of `body`, in float64. */
function modelOf({ graph, weights, batch, classes }: Start, round: (x: number) => number): Step {
  const of = (name: `${string}.${string}`): ArrayLike<number> => weights.get(name)?.data ?? [];
  const [first, firstBias, wide, wideBias, last, lastBias] = ['before', 'wide', 'out'].flatMap((id) => [
    of(`${id}.weight`),
    of(`${id}.bias`),
  ]) as [ArrayLike<number>, ...ArrayLike<number>[]] & { readonly length: 6 };
  const at = (values: ArrayLike<number> | undefined, i: number): number => values?.[i] ?? 0;
  const [h = 1, w = 1] = graph.input.shape.slice(1);
  const [pixels, ci, co] = [h * w, firstBias?.length ?? 0, wideBias?.length ?? 0];
  const images = numbersOf(batch, 'images');
  const labels = numbersOf(batch, 'labels');
  const zeros = (n: number) => new Float64Array(n);
  const gradients = new Map<string, Float64Array>(
    ['before', 'wide', 'out'].flatMap((id) =>
      ['weight', 'bias'].map((name) => [`${id}.${name}`, zeros(of(`${id}.${name}`).length)] as const),
    ),
  );
  const add = (name: string, i: number, value: number): void => {
    const to = gradients.get(name);
    if (to !== undefined) to[i] = at(to, i) + value;
  };
  const narrowWide = Float64Array.from(wide ?? [], round);
  let loss = 0;
  for (let n = 0; n < labels.length; n += 1) {
    const x = zeros(ci * pixels).map((_, k) => {
      const [i, p] = [Math.floor(k / pixels), k % pixels];
      const pixel = (c: number) => at(images, (2 * n + c) * pixels + p);
      return Math.tanh(at(firstBias, i) + at(first, 2 * i) * pixel(0) + at(first, 2 * i + 1) * pixel(1));
    });
    const narrowX = x.map(round);
    const y = zeros(co * pixels).map((_, k) => {
      const [o, p] = [Math.floor(k / pixels), k % pixels];
      let sum = at(wideBias, o);
      for (let i = 0; i < ci; i += 1) sum += at(narrowWide, o * ci + i) * at(narrowX, i * pixels + p);
      return Math.tanh(sum);
    });
    const logits = zeros(classes).map((_, c) =>
      y.reduce((sum, value, k) => sum + at(last, c * y.length + k) * value, at(lastBias, c)),
    );
    const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
    const label = at(labels, n);
    loss += (Math.log(total) - at(logits, label)) / labels.length;
    const g = logits.map((z, c) => (Math.exp(z) / total - (c === label ? 1 : 0)) / labels.length);
    const dz = y.map((value, k) => {
      const sum = g.reduce((all, d, c) => all + d * at(last, c * y.length + k), 0);
      return sum * (1 - value * value);
    });
    const narrowD = dz.map(round);
    g.forEach((d, c) => {
      add('out.bias', c, d);
      y.forEach((value, k) => {
        add('out.weight', c * y.length + k, d * value);
      });
    });
    dz.forEach((d, k) => {
      const [o, p] = [Math.floor(k / pixels), k % pixels];
      add('wide.bias', o, d);
      for (let i = 0; i < ci; i += 1)
        add('wide.weight', o * ci + i, at(narrowD, k) * at(narrowX, i * pixels + p));
    });
    x.forEach((value, k) => {
      const [i, p] = [Math.floor(k / pixels), k % pixels];
      let sum = 0;
      for (let o = 0; o < co; o += 1) sum += at(narrowWide, o * ci + i) * at(narrowD, o * pixels + p);
      const d = sum * (1 - value * value);
      add('before.bias', i, d);
      for (const c of [0, 1]) add('before.weight', 2 * i + c, d * at(images, (2 * n + c) * pixels + p));
    });
  }
  return new Map([['loss', Float64Array.of(loss)], ...gradients]);
}

/** A wide layer of `ci` to `co` channels, a convolution or, of one pixel, a linear layer. */
function wideNet(ci: number, co: number, size: readonly [number, number], isLinear: boolean): Graph {
  const layer: ShortNode[] = isLinear
    ? [
        ['vector', 'flatten', 'act'],
        ['wide', 'linear', 'vector', { out: co, bias: true }],
      ]
    : [['wide', 'conv2d', 'act', { out: co, kernel: 1, bias: true }]];
  return around(ci, size, [
    ['act', 'activation', 'before', { kind: 'tanh' }],
    ...layer,
    ['last', 'activation', 'wide', { kind: 'tanh' }],
  ]);
}

/** Odd numbers of channels and pixels; whole tiles of outputs and groups of taps, and what remains of them. */
const WIDTHS = [
  [24, 24],
  [25, 31],
  [33, 47],
  [48, 26],
  [64, 96],
  [100, 29],
] as const;
const SIZES = [
  [1, 1],
  [2, 3],
  [5, 7],
  [1, 6],
  [9, 8],
] as const;
const IMAGES = [9, 11, 15, 16, 17, 33, 65] as const;

narrow('products of wide layers are those of rounded operands, summed in float32', async () => {
  for (const [k, [ci, co]] of WIDTHS.entries())
    for (const [j, size] of SIZES.entries()) {
      const images = cycled(IMAGES, k + 3 * j);
      const start = startOf(wideNet(ci, co, size, size[0] * size[1] === 1 && k % 2 === 0), images, k);
      const got = await stepOf(start, BFLOAT16);
      const [want, wide] = [modelOf(start, rounded), modelOf(start, (x) => x)];
      for (const [name, values] of want) {
        const note = `${ci} to ${co}, ${size}, ${images} images: ${name}`;
        const error = distance(got.get(name) ?? [], values) / norm(values);
        // Where float32 and float64 lie on two sides of a tie, one operand is rounded the other way, by 2^-8 of itself.
        // Such are about a thousandth of them, so a sum is off by about 2^-8 / 32 of its size at most.
        expect(error, note).toBeLessThan(2e-4);
        // What is not rounded is farther off, but for a loss and what comes of sums that average over many operands.
        if (/^(wide|before)[.]weight/.test(name))
          expect(distance(got.get(name) ?? [], wide.get(name) ?? []) / norm(values), note).toBeGreaterThan(
            5e-4,
          );
      }
    }
});

/** Blocks of a depthwise and a wide layer with norms, a sum of two maps, and a wide layer behind the pool. */
function wideBlocks(kind: string): Graph {
  const chain = (id: string, op: string, from: string, fields: object): ShortNode[] => [
    [id, op, from, { ...fields }],
    [`${id}_norm`, 'batch_norm', id],
    [`${id}_act`, 'activation', `${id}_norm`, { kind }],
  ];
  return around(
    8,
    [9, 7],
    [
      ...chain('stem', 'conv2d', 'before', { out: 33, kernel: 3 }),
      ...chain('a', 'conv2d', 'stem_act', { out: 50, kernel: 1 }),
      ...chain('dw', 'depthwise_conv2d', 'a_act', { kernel: 3, stride: 2 }),
      ...chain('b', 'conv2d', 'dw_act', { out: 64, kernel: 1 }),
      ...chain('c', 'conv2d', 'b_act', { out: 64, kernel: 1 }),
      ['sum', 'add', ['b_act', 'c_act']],
      ...chain('d', 'conv2d', 'sum', { out: 31, kernel: 1 }),
      ['pool', 'global_avg_pool', 'd_act'],
      ['l', 'linear', 'pool', { out: 40 }],
      ['l_act', 'activation', 'l', { kind }],
    ],
  );
}

narrow(
  'gradients of a network of wide layers are near those of float32, and no nearer than roundings',
  async () => {
    for (const [i, kind] of ['silu', 'tanh', 'gelu'].entries()) {
      const start = startOf(wideBlocks(kind), [40, 17, 64][i] ?? 1, i);
      const [got, want] = [await stepOf(start, BFLOAT16), await stepOf(start, {})];
      const all = (of: Step) => [...of].flatMap(([, values]) => [...values]);
      const error = distance(all(got), all(want)) / norm(all(want));
      // Seven layers of roundings by up to 2^-9; batch norm's backward pass takes means away and so enlarges them. The
      // activations are smooth: near the kink of relu a rounding changes a derivative from 0 to 1.
      expect(error, kind).toBeLessThan(2e-2);
      expect(error, kind).toBeGreaterThan(5e-4);
    }
  },
);

narrow('training in bfloat16 has the same bits with 1, 2, 3 and 5 threads', async () => {
  for (const images of [9, 16, 40]) {
    const start = startOf(wideBlocks('silu'), 3 * images, images);
    const trained = async (threads: number) => {
      const network = networkOf(start.graph, start.weights);
      const data = datasetOf(start.batch, start.classes);
      const options = training(images, rates(3, 0.05), { momentum: 0.9, microBatch: 16, ...BFLOAT16 });
      const { loss } = await withThreads(threads, () => core().train(network, data, options, null, null));
      return { loss, weights: weightsOf(network) };
    };
    const one = await trained(1);
    for (const threads of [2, 3, 5])
      expect(await trained(threads), `${images} images, ${threads} threads`).toEqual(one);
  }
});

narrow(
  'layers that are too narrow to gain, and minibatches of eight images, have the bits of float32',
  async () => {
    const start = startOf(wideNet(LEAST - 1, 90, [4, 5], false), 20, 1);
    expect(await stepOf(start, BFLOAT16)).toEqual(await stepOf(start, {}));
    const few = startOf(wideNet(90, 90, [4, 5], false), 8, 1);
    expect(await stepOf(few, BFLOAT16)).toEqual(await stepOf(few, {}));
    const wide = startOf(wideNet(LEAST, LEAST, [4, 5], false), 20, 1);
    expect(await stepOf(wide, BFLOAT16)).not.toEqual(await stepOf(wide, {}));
  },
);

narrow('bench says which loops multiplied bfloat16', async () => {
  const options = { network: 'mobilenet_cifar10', batchSize: 2, repeats: 1 } as const;
  expect(await bench({ ...options, precision: 'auto' })).toMatchObject({
    precision: 'bfloat16',
    narrowEngine: LOOPS,
  });
  expect((await bench(options)).narrowEngine).toBe('');
});

/** What another process says that has the instruction set of that name at most. */
function featuresWith(engine: string): { engine: string; cpu: boolean; loops: string; auto: string } {
  const script = `
    const { loadCore } = await import('./dist/native/load.js');
    const { precisionOn } = await import('./dist/train/precision.js');
    const { engine, bfloat16 } = loadCore().features();
    const found = { engine, cpu: bfloat16.cpu, loops: bfloat16.engine, auto: precisionOn('cpu', 'auto') };
    process.stdout.write(JSON.stringify(found));`;
  const env = { ...process.env, SPLITGROW_ENGINE: engine };
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' }),
  );
}

test('auto is bfloat16 only where the engine has loops for it; SPLITGROW_ENGINE takes them away', () => {
  expect(precisionOn('cpu', 'auto')).toBe(LOOPS === '' ? 'float32' : 'bfloat16');
  const { cpu } = core().features().bfloat16;
  for (const engine of ['0', 'baseline', 'avx2', 'avx512'])
    expect(featuresWith(engine), engine).toMatchObject({ cpu, loops: '', auto: 'float32' });
  if (LOOPS !== '')
    expect(featuresWith(LOOPS)).toEqual({ engine: 'avx512', cpu, loops: LOOPS, auto: 'bfloat16' });
});
