// Factors on the rates of single entries: steps against SGD by hand in doubles, and what is refused.
import { expect, test } from 'vitest';
import type { NetworkHandle, TensorData, TensorEntries, TrainOptions } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  doubles,
  floats,
  golden,
  goldenGraph,
  networkOf,
  numbers,
  numbersOf,
  tensorOf,
  training,
  weightsOf,
} from './golden.js';

const images = async () => datasetOf(await golden('train', 'batch'), 5);
type Tensors = ReadonlyMap<string, TensorData>;
const startOf = (weights: Tensors): NetworkHandle =>
  networkOf(goldenGraph('train'), weights, { dtype: 'float64' });

/** Gradients of the loss over all 20 images: momentum after a first step at rate 0. */
async function gradientsAt(weights: Tensors): Promise<Tensors> {
  const network = startOf(weights);
  await core().train(network, await images(), training(20, [0], { momentum: 0.5 }), null, null);
  return new Map(core().readNetwork(network, 'momentum'));
}

/** Two layers' weights and, between them in the buffer, tensors without a factor. */
async function factorsOf(weights: Tensors): Promise<ReadonlyMap<string, TensorData>> {
  const layers = [...weights].filter(([, { shape }]) => shape.length > 1).map(([name]) => name);
  expect(layers.length).toBeGreaterThan(2);
  return new Map(
    [layers[1] ?? '', layers.at(-1) ?? ''].map((name) => [
      name,
      floats(tensorOf(weights, name).shape, (i) => [0.25, 1, 0.5, 3, 0][i % 5] ?? 0),
    ]),
  );
}

const [RATES, MOMENTUM, DECAY] = [[0.3, 0.2] as const, 0.9, 0.05] as const;
const RECIPES: Readonly<Record<string, Partial<TrainOptions>>> = {
  plain: {},
  momentum: { momentum: MOMENTUM },
  'momentum and decay': { momentum: MOMENTUM, weightDecay: DECAY },
  'nesterov, decay of weights': {
    momentum: MOMENTUM,
    nesterov: true,
    weightDecay: DECAY,
    decay: 'weights',
  },
};

for (const [recipe, more] of Object.entries(RECIPES)) {
  test(`two steps with factors are those of SGD by hand: ${recipe}`, async () => {
    const given = new Map(
      [...weightsOf(startOf(await golden('train', 'weights')))].map(([name, t]) => [name, t] as const),
    );
    const factors = await factorsOf(given);
    let byHand: Tensors = given;
    const velocity = new Map<string, Float64Array>();
    for (const rate of RATES) {
      const gradients = await gradientsAt(byHand);
      byHand = new Map(
        [...byHand].map(([name, tensor]) => {
          const gradient = gradients.get(name);
          if (gradient === undefined) return [name, tensor];
          const [p, g] = [numbers(tensor), numbers(gradient)];
          // Decay of weights leaves out vectors: scales, shifts and biases.
          const isDecayed = more.decay !== 'weights' || tensor.shape.length > 1;
          const decay = isDecayed ? (more.weightDecay ?? 0) : 0;
          const momentum = more.momentum ?? 0;
          const before = velocity.get(name) ?? new Float64Array(p.length);
          const d = g.map((x, i) => x + decay * (p[i] ?? 0));
          const v = d.map((x, i) => momentum * (before[i] ?? 0) + x);
          velocity.set(name, v);
          const step = more.nesterov === true ? d.map((x, i) => x + momentum * (v[i] ?? 0)) : v;
          const factor = factors.has(name) ? numbersOf(factors, name) : p.map(() => 1);
          return [name, doubles(tensor.shape, (i) => (p[i] ?? 0) - rate * (factor[i] ?? 0) * (step[i] ?? 0))];
        }),
      );
    }
    const network = startOf(given);
    const data = await images();
    for (const rate of RATES) {
      const options = training(20, [rate], { ...more, rateFactors: [...factors] });
      await core().train(network, data, options, null, null);
    }
    for (const [name, tensor] of weightsOf(network)) {
      if (name.includes('running')) continue;
      // Values of about 1, sums in another order.
      const close = { rtol: 1e-12, atol: 1e-13, note: `${name}, float64` };
      assertClose(numbers(tensor), numbersOf(byHand, name), close);
    }
    if (more.momentum !== undefined)
      for (const [name, tensor] of core().readNetwork(network, 'momentum'))
        assertClose(numbers(tensor), velocity.get(name) ?? [], { rtol: 1e-11, atol: 1e-13, note: name });
  });
}

test('an empty list of factors changes no bit, and a factor of 0 stops an entry', async () => {
  const run = async (rateFactors?: TensorEntries) => {
    const network = networkOf(goldenGraph('train'), await golden('train', 'weights'));
    const options = training(20, [0.3], { momentum: 0.9, weightDecay: 0.01 });
    const more = rateFactors === undefined ? {} : { rateFactors };
    await core().train(network, await images(), { ...options, ...more }, null, null);
    return weightsOf(network);
  };
  expect(await run([])).toEqual(await run());
  const start = await golden('train', 'weights');
  const [[name, tensor]] = [...start].filter(([, { shape }]) => shape.length === 4) as [[string, TensorData]];
  const stopped = await run([[name, floats(tensor.shape, (i) => i % 2)]]);
  const [before, after] = [numbers(tensor), numbersOf(stopped, name)];
  before.forEach((x, i) => {
    if (i % 2 === 0) expect(after[i]).toBe(Math.fround(x));
    else expect(after[i]).not.toBe(Math.fround(x));
  });
});

test("factors that do not fit the network are refused with the tensor's name, before anything is trained", async () => {
  const network = networkOf(goldenGraph('train'), await golden('train', 'weights'));
  const [before, data] = [weightsOf(network), await images()];
  const fine = floats([4], () => 1);
  const wrong: readonly TensorEntries[] = [
    [['stem_bn.scale', fine]],
    [['stem_bn.weight', floats([3], () => 1)]],
    [['stem_bn.weight', doubles([4], () => 1)]],
    [['stem_bn.weight', floats([4], () => Number.NaN)]],
    [['stem_bn.running_mean', fine]],
    [
      ['stem_bn.weight', fine],
      ['stem_bn.weight', fine],
    ],
  ];
  for (const rateFactors of wrong) {
    const failure = await failureOf(
      core().train(network, data, training(20, [0.1], { rateFactors }), null, null),
    );
    expect(failure).toMatch(/^E_WEIGHTS: /);
    expect(failure).toContain(rateFactors[0]?.[0]);
  }
  expect(weightsOf(network)).toEqual(before);
  const options = training(20, [0.1], { rateFactors: 'none' as unknown as TensorEntries });
  expect(() => core().train(network, data, options, null, null)).toThrow(
    expect.objectContaining({ code: 'E_ARGUMENT' }),
  );
});
