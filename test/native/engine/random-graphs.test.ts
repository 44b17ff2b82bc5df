// Random graphs and minibatches against float64. SPLITGROW_RANDOM_GRAPHS=2000 takes so many, SPLITGROW_RANDOM_SEED=7 begins at that seed.
import { test } from 'vitest';
import { withThreads } from '../../../lib/native/threads.js';
import { drawOf } from '../../random-graphs.js';
import { randomOf } from '../../reference.js';
import { indexing, type Precision } from '../golden.js';
import { assertAgree, distance, norm, type Results, resultsOf, SHARE, type Start } from './agreement.js';
import { anyGraph } from './any-graph.js';
import { cycled, firstAwayFromKinks, startOf } from './nets.js';
import { indicesOf, PLAIN_STEPS } from './splitting.js';

const COUNT = Number(process.env.SPLITGROW_RANDOM_GRAPHS ?? 40);
const FIRST = Number(process.env.SPLITGROW_RANDOM_SEED ?? 0);

const GRAPHS_A_TEST = 10;

const FEW = [1, 2, 3, 5, 8, 15, 16, 17] as const;
const MANY = [...FEW, 31, 32, 33, 48, 64, 65] as const;

/** The start with every weight moved by half a unit in its last place or less. */
function nudged(start: Start, seed: number): Start {
  const random = randomOf(seed);
  const weights = new Map(
    [...start.weights].map(([name, { shape, data }]) => [
      name,
      { shape, data: data.map((x) => x * (1 + (2 * random() - 1) * 2 ** -24)) },
    ]),
  );
  return { ...start, weights };
}

/** Some random graphs cancel more than a network that anyone would train: five times the usual share. */
const WIDE_SHARE = 5 * SHARE;

/**
 * Others enlarge every rounding. How much shows in float64, where the weights are rounded as float32 would round a value: so
 * many times that change is allowed beside the share. LibTorch's worst in 2,500 graphs is 50.
 */
const CHANGES = 100;

/**
 * And a formula may lose digits whoever computes it in float32: of 1 - tanh(z)^2, and so of a whole splitting matrix, few are
 * left where tanh is nearly 1. So many times the error of LibTorch's own float32 is allowed too.
 */
const ERRORS = 4;

/** What `work` gives while LibTorch computes all. */
async function byLibTorch<T>(work: () => Promise<T>): Promise<T> {
  const before = process.env.SPLITGROW_ENGINE;
  process.env.SPLITGROW_ENGINE = '0';
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env.SPLITGROW_ENGINE;
    else process.env.SPLITGROW_ENGINE = before;
  }
}

/** A gradient that is 0 by its formula is a sum of what thousands of values are off by, and no measure of anything. */
const IS_ZERO = 1e-10;

function withoutZeros(results: Results, wide: Results): Results {
  const isOf = (name: string): boolean => name.startsWith('gradient of ');
  const whole = norm([...wide].flatMap(([name, values]) => (isOf(name) ? [...values] : [])));
  const isZero = (name: string): boolean => isOf(name) && norm(wide.get(name) ?? []) < IS_ZERO * whole;
  return new Map([...results].filter(([name]) => !isZero(name)));
}

/** Passes and a training step; and, where no derivative jumps, products of the splitting matrices. */
async function allOf(start: Start, dtype: Precision, threads: number, isSmooth: boolean): Promise<Results> {
  const results = await resultsOf(start, dtype, threads);
  if (!isSmooth) return results;
  const more = {
    ...PLAIN_STEPS,
    epochs: 2,
    batch: 65,
    learningRate: 1,
    rmsEpsilon: 0.1,
    identityCurvature: 0.5,
  };
  const options = indexing(start.graph, 'rayleigh', more);
  return new Map([...results, ...(await withThreads(threads, () => indicesOf(start, dtype, options)))]);
}

/** Smaller logits: where one class has nearly all of the probability, its gradient is a difference of equal numbers. */
function withSmallLogits(start: Start): Start {
  const name = `${start.graph.output}.weight`;
  const weight = start.weights.get(name);
  if (weight === undefined) throw new Error(`no tensor ${name}`);
  return {
    ...start,
    weights: new Map([...start.weights, [name, { ...weight, data: weight.data.map((x) => x / 32) }]]),
  };
}

/** By its seed: some with kinks and few images, where weights and images away from the kinks are found, others smooth. */
async function startOfSeed(seed: number): Promise<{ readonly start: Start; readonly isSmooth: boolean }> {
  const { chance, one } = drawOf(seed + 5e5);
  const [isSmooth, few, many] = [chance(0.6), one(FEW), one(MANY)];
  if (!isSmooth) {
    const start = await firstAwayFromKinks(anyGraph(seed, { images: few, isSmooth }), few, seed);
    if (start !== null) return { start: withSmallLogits(start), isSmooth };
  }
  const graph = anyGraph(seed, { images: many, isSmooth: true });
  return { start: withSmallLogits(startOf(graph, many, seed)), isSmooth: true };
}

async function assertSeedAgrees(seed: number): Promise<void> {
  const { start, isSmooth } = await startOfSeed(seed);
  const { graph, batch } = start;
  const note = `seed ${seed}, images ${batch.get('images')?.shape}: ${JSON.stringify(graph.nodes)}`;
  const narrow = await allOf(start, 'float32', cycled([1, 2, 3], seed), isSmooth);
  const wide = await allOf(start, 'float64', 1, isSmooth);
  const moved = await allOf(nudged(start, seed), 'float64', 1, isSmooth);
  const plain = await byLibTorch(() => allOf(start, 'float32', 1, isSmooth));
  const moreOf = (name: string): number => {
    const values = wide.get(name) ?? [];
    const [change, error] = [moved, plain].map((other) => distance(other.get(name) ?? [], values));
    return Math.max(CHANGES * (change ?? 0), ERRORS * (error ?? 0));
  };
  const shareOf = (): number => WIDE_SHARE;
  assertAgree(withoutZeros(narrow, wide), withoutZeros(wide, wide), note, shareOf, moreOf);
}

for (let from = FIRST; from < FIRST + COUNT; from += GRAPHS_A_TEST) {
  const last = Math.min(from + GRAPHS_A_TEST, FIRST + COUNT) - 1;
  test(`random graphs of seeds ${from} to ${last} agree with float64 in passes, a training step and products`, async () => {
    for (let seed = from; seed <= last; seed += 1) await assertSeedAgrees(seed);
  });
}
