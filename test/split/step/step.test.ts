// The step's promise against the loss itself: finite differences in float64 of networks that were really split.
import { expect, test } from 'vitest';
import { grow } from '../../../lib/graph/grow.js';
import { lower } from '../../../lib/graph/lower.js';
import { relativeDirections } from '../../../lib/split/step/neuron-weights.js';
import { predictedDecrease } from '../../../lib/split/step/step.js';
import { networkOf as namedNetwork } from '../../../lib/train/network.js';
import {
  core,
  datasetOf,
  graphOf,
  indexing,
  networkOf,
  numbers,
  numbersOf,
  randomBatch,
  weightsOf,
} from '../../native/golden.js';
import { randomWeights } from '../../random-graphs.js';
import { assertClose } from '../../reference.js';

const [CLASSES, COUNT] = [4, 6];
/** A power of two, so that float32 surgery holds it exactly. */
const STEP = 2 ** -8;
/** Every reader of a split layer is a linear map: the index is the whole second-order term. */
const GRAPH = graphOf(
  [2, 5, 5],
  [
    ['stem', 'conv2d', 'input', { out: 3, kernel: 3, stride: 2 }],
    ['stem_bn', 'batch_norm', 'stem', { eps: 1e-2 }],
    ['stem_act', 'activation', 'stem_bn', { kind: 'silu' }],
    ['mid', 'conv2d', 'stem_act', { out: 2, kernel: 2, padding: 1, bias: true }],
    ['mid_act', 'activation', 'mid', { kind: 'tanh' }],
    ['flat', 'flatten', 'mid_act'],
    ['hidden', 'linear', 'flat', { out: 3 }],
    ['hidden_act', 'activation', 'hidden', { kind: 'softplus' }],
    ['out', 'linear', 'hidden_act', { out: CLASSES }],
  ],
);
const PLANS: readonly Readonly<Record<string, readonly number[]>>[] = [
  { stem: [1] },
  { mid: [0], hidden: [2, 0] },
  // Neighbours together, neurons twice and three times.
  { stem: [0, 2, 0], mid: [1, 1, 1, 0], hidden: [1] },
];

for (const scale of ['absolute', 'relative'] as const) {
  for (const outgoingDelta of [0, 0.25, -0.4375]) {
    test(`the predicted decrease is the loss's second order: ${scale} epsilon, delta ${outgoingDelta}; the first is 0`, async () => {
      const batch = randomBatch(GRAPH.input.shape, CLASSES, COUNT, 5);
      const [data, labels] = [datasetOf(batch, CLASSES), numbersOf(batch, 'labels')];
      const start = networkOf(GRAPH, randomWeights(GRAPH, 8), { dtype: 'float64' });
      const lossOf = async (network: typeof start): Promise<number> => {
        const logits = numbers(await core().forward(network, data, { mode: 'eval', batch: COUNT }));
        return labels.reduce((sum, label, i) => {
          const row = logits.slice(CLASSES * i, CLASSES * (i + 1));
          const all = row.reduce((total, x) => total + Math.exp(x), 0);
          return sum + (Math.log(all) - (row[label] ?? Number.NaN)) / COUNT;
        }, 0);
      };
      const before = await lossOf(start);
      const { chains, directions } = await core().indices(start, data, indexing(GRAPH, 'exact'), null, null);
      const indices = new Map(chains.map((chain) => [chain.id, chain.indices]));
      const along =
        scale === 'relative'
          ? relativeDirections(namedNetwork(GRAPH, start), directions)
          : { directions, lengths: null };
      for (const splits of PLANS) {
        const { graph: grown, surgery } = grow(GRAPH, { splits }, { outgoingDelta });
        const change = async (epsilon: number): Promise<number> => {
          const args = [surgery, along.directions, epsilon, 'reset'] as const;
          return (await lossOf(await core().rewrite(start, lower(grown), ...args))) - before;
        };
        // With unequal shares there are odd orders too: even and odd part, each without its next term.
        const [up, down] = [await change(STEP), await change(-STEP)];
        const [up2, down2] = [await change(2 * STEP), await change(-2 * STEP)];
        const even = (16 * (up + down) - (up2 + down2)) / (24 * STEP ** 2);
        const odd = (8 * (up - down) - (up2 - down2)) / (12 * STEP);
        const want = -predictedDecrease({ surgery, epsilon: 1, lengths: along.lengths }, indices);
        expect(Math.abs(want)).toBeGreaterThan(1e-6);
        // What is left is of order epsilon^4 = 2e-10 times derivatives that three splits of a neuron, |theta| above 1
        // and shifts of up to 3 raise to powers of 4 and 6; rounding is 1e-16 / epsilon^2 = 7e-12.
        const note = JSON.stringify(splits);
        assertClose([even], [want], { rtol: 1e-5, atol: 1e-8, note });
        assertClose([odd], [0], { rtol: 0, atol: 1e-6, note: `first order, ${note}` });
      }
    });
  }
}

test('a neuron split once at 1/2 +- delta promises -lambda epsilon^2 / 2 times 1 - 4 delta^2', () => {
  const indices = new Map([['stem', [0.5, -3, 2]]]);
  for (const delta of [0, 0.125, 0.25, -0.375]) {
    const { surgery } = grow(GRAPH, { splits: { stem: [1] } }, { outgoingDelta: delta });
    const lengths = new Map([['stem', [7, 2, 9]]]);
    const found = [null, lengths].map((each) =>
      predictedDecrease({ surgery, epsilon: 0.1, lengths: each }, indices),
    );
    const once = ((3 * 0.1 ** 2) / 2) * (1 - 4 * delta ** 2);
    assertClose(found, [once, 4 * once], { rtol: 1e-12, atol: 0, note: 'rounding of doubles' });
  }
});

test('a relative step is as long as the own weights of each neuron, bias not counted', () => {
  const network = networkOf(GRAPH, randomWeights(GRAPH, 3), { dtype: 'float64' });
  const units = lower(GRAPH).chains.map(({ id, neurons, dimension }): [string, Float64Array, number] => [
    id,
    new Float64Array(neurons * dimension).map((_, i) => (i % dimension === 0 ? 1 : 0)),
    neurons,
  ]);
  const unit = core().createDirections(
    units.map(([id, values, neurons]) => [
      id,
      {
        dtype: 'float64',
        shape: [neurons, values.length / neurons],
        data: new Uint8Array(values.buffer),
      },
    ]),
    'cpu',
  );
  const { directions, lengths } = relativeDirections(namedNetwork(GRAPH, network), unit);
  const scaled = new Map(core().readDirections(directions));
  for (const [id, , neurons] of units) {
    const weight = numbersOf(weightsOf(network), `${id}.weight`);
    const size = weight.length / neurons;
    for (let n = 0; n < neurons; n += 1) {
      const length = Math.hypot(...weight.slice(n * size, (n + 1) * size));
      const tolerance = { rtol: 1e-14, atol: 0, note: `${id} ${n}, float64` };
      assertClose(
        [lengths.get(id)?.[n] ?? 0, numbersOf(scaled, id)[n * size] ?? 0],
        [length, length],
        tolerance,
      );
    }
  }
});
