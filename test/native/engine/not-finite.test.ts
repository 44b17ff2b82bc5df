// Images, weights and rates that lead to infinity or NaN end in E_NOT_FINITE, whatever computes.
import { expect, test } from 'vitest';
import { failureOf } from '../../data/places.js';
import { core, datasetOf, floats, indexing, networkOf, numbersOf, rates, training } from '../golden.js';
import type { Start } from './agreement.js';
import { startOf } from './nets.js';
import { everyOp, mobileNet, residualNet } from './whole-nets.js';

const NETS = {
  mobileNet: mobileNet('silu'),
  residualNet: residualNet('relu6'),
  everyOp: everyOp('tanh'),
} as const;
const IMAGES = 20;

/** The start with one pixel of another value. */
function withPixel({ batch, ...start }: Start, value: number): Start {
  const pixels = numbersOf(batch, 'images');
  const at = Math.floor(pixels.length / 2);
  const shape = batch.get('images')?.shape ?? [];
  return {
    ...start,
    batch: new Map([...batch, ['images', floats(shape, (i) => (i === at ? value : (pixels[i] ?? 0)))]]),
  };
}

async function trainingFailure(
  { graph, weights, batch, classes }: Start,
  steps: readonly number[],
): Promise<string> {
  const options = training(IMAGES / steps.length, steps, { momentum: 0.9 });
  const work = async () =>
    core().train(networkOf(graph, weights), datasetOf(batch, classes), options, null, null);
  return failureOf(work());
}

for (const [name, graph] of Object.entries(NETS)) {
  test(`an image of ${name} with an infinite value or NaN is refused`, async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(await trainingFailure(withPixel(startOf(graph, IMAGES, 1), value), [0.1])).toMatch(
        /^E_NOT_FINITE: /,
      );
  });

  test(`${name} with a pixel whose square is infinite, and with enormous rates, stops with E_NOT_FINITE`, async () => {
    const start = startOf(graph, IMAGES, 1);
    expect(await trainingFailure(withPixel(start, 3e38), [0.1])).toMatch(/^E_NOT_FINITE: /);
    for (const rate of [1e30, 3e38]) {
      const failure = await trainingFailure(start, rates(4, rate));
      expect(failure, String(rate)).toMatch(/^E_NOT_FINITE: .*(minibatch|learningRate)/);
    }
    expect(await trainingFailure(start, rates(4, 0.01))).toBe('no error');
  });

  test(`indices of ${name} with weights that overflow are E_NOT_FINITE`, async () => {
    const { weights, batch, classes } = startOf(graph, IMAGES, 1);
    const huge = new Map(
      [...weights].map(([id, { shape, data }]) => [id, { shape, data: data.map(() => 1e38) }]),
    );
    for (const method of ['exact', 'rayleigh'] as const) {
      const network = networkOf(graph, huge);
      const work = core().indices(network, datasetOf(batch, classes), indexing(graph, method), null, null);
      expect(await failureOf(work), method).toMatch(/^E_NOT_FINITE: |^E_NATIVE: /);
    }
  });
}
