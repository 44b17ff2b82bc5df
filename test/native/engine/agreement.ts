// What a network computes in float32, held against what LibTorch's operators compute of it in float64.
import { expect } from 'vitest';
import type { Graph } from '../../../lib/graph/ir.js';
import type { TensorMap } from '../../../lib/native/face.js';
import { withThreads } from '../../../lib/native/threads.js';
import type { Weights } from '../../reference.js';
import {
  core,
  datasetOf,
  largest,
  networkOf,
  numbers,
  type Precision,
  training,
  weightsOf,
} from '../golden.js';

/** A network with the images that it sees. All numbers are float32, so that both precisions start from equal ones. */
export interface Start {
  readonly graph: Graph;
  readonly weights: Weights;
  readonly batch: TensorMap;
  readonly classes: number;
}

/** Tensors and sums that were computed, by name. */
export type Results = ReadonlyMap<string, Float64Array>;

/**
 * float32 against float64, as a share of a tensor's L2 norm. A sum of n products is off by about sqrt(n) * 6e-8 of its
 * size, and the layers' errors add up. Batch norm's backward pass takes means away and so enlarges them. The worst of
 * LibTorch's float32 in these tests is 7e-6.
 */
export const SHARE = 2e-5;

/** A small gradient in a network of large ones: its error may be measured against this much of the whole gradient. */
const FLOOR = 0.1;

/** A gradient that is 0 by its formula, as that of a bias before batch norm, is a sum of roundings of the others. */
const IS_ZERO = 1e-12;

/** L2 norm. */
export const norm = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));

/** L2 norm of the difference; NaN where a value is none. */
export const distance = (one: ArrayLike<number>, other: ArrayLike<number>): number =>
  norm(Array.from(one, (x, i) => x - (other[i] ?? Number.NaN)));

const isGradient = (name: string): boolean => /^(gradient of|momentum) /.test(name);

/** What each tensor's error is a share of. */
function sizesOf(want: Results): ReadonlyMap<string, number> {
  const whole = norm([...want].flatMap(([name, values]) => (isGradient(name) ? [...values] : [])));
  // A loss is a difference of logits.
  const logits = Math.max(...['eval logits', 'train logits'].map((name) => largest(want.get(name) ?? [])));
  const sizeOf = (name: string, values: Float64Array): number => {
    const size = norm(values);
    if (name.startsWith('loss')) return size + logits;
    if (!isGradient(name)) return size;
    return size < IS_ZERO * whole ? whole : size + FLOOR * whole;
  };
  return new Map([...want].map(([name, values]) => [name, sizeOf(name, values)]));
}

/** Every result of `got` is within its share of the one of `want`, and `more` beside it; both are given by the result's name. */
export function assertAgree(
  got: Results,
  want: Results,
  note: string,
  shareOf: (name: string) => number = () => SHARE,
  more: (name: string) => number = () => 0,
): void {
  expect([...got.keys()], note).toEqual([...want.keys()]);
  const sizes = sizesOf(want);
  for (const [name, values] of want) {
    const other = got.get(name) ?? [];
    expect(other.length, `${note}: ${name}`).toBe(values.length);
    const error = distance(other, values);
    const size = sizes.get(name) ?? 0;
    const most = shareOf(name) * size + more(name);
    if (!(error <= most))
      expect.fail(`${note}: ${name} is off by ${error}, more than ${most}: ${error / size} of its size`);
  }
}

/** Logits in both modes, and loss, gradients and running statistics of one training step over the whole batch. */
export async function resultsOf(start: Start, dtype: Precision, threads = 1): Promise<Results> {
  const network = networkOf(start.graph, start.weights, { dtype });
  const data = datasetOf(start.batch, start.classes);
  const images = start.batch.get('labels')?.shape[0] ?? 0;
  const results = new Map<string, Float64Array>();
  await withThreads(threads, async () => {
    for (const mode of ['eval', 'train'] as const)
      results.set(`${mode} logits`, numbers(await core().forward(network, data, { mode, batch: images })));
    const { loss } = await core().evaluate(network, data, { batch: Math.ceil(images / 2) }, null, null);
    results.set('loss of evaluation', Float64Array.of(loss));
    // From momentum of 0 the buffer is the gradient, and with rate 0 no weight moves.
    const step = training(images, [0], { momentum: 0.5 });
    results.set('loss', Float64Array.of((await core().train(network, data, step, null, null)).loss));
  });
  for (const [name, tensor] of core().readNetwork(network, 'momentum'))
    results.set(`gradient of ${name}`, numbers(tensor));
  for (const [name, tensor] of weightsOf(network))
    if (name.includes('.running_')) results.set(name, numbers(tensor));
  for (const handle of [network, data]) handle.dispose();
  return results;
}

/** All results of the start are alike in float32 and in float64; gives those in float32. */
export async function assertPrecisionsAgree(start: Start, note: string): Promise<Results> {
  const got = await resultsOf(start, 'float32');
  assertAgree(got, await resultsOf(start, 'float64'), note);
  return got;
}
