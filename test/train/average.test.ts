// Which minibatches the moving average copies, against a count over the whole stage.
import { expect, test } from 'vitest';
import { averageIn } from '../../lib/train/average.js';

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('what is taken within the warm-up and the first after it are copies, whatever the steps and the epochs', () => {
  for (const steps of [1, 3, 4, 7])
    for (const every of [1, 2, 5, 9])
      for (const warmup of [0, 0.3, 0.5, 1, 1.75, 2, 3]) {
        let counts = false; // an earlier taking stands behind the warm-up
        for (const epoch of range(4)) {
          const { copies } = averageIn({ decay: 0.9, every, warmup }, epoch, steps);
          for (const step of range(steps).filter((place) => place % every === 0)) {
            const isBehind = epoch * steps + step >= Math.round(warmup * steps);
            expect(
              step < copies,
              `${steps} steps, every ${every}, warm-up ${warmup}: ${epoch}, ${step}`,
            ).toBe(!counts);
            counts ||= isBehind;
          }
        }
      }
});

test('decay and every are handed on', () => {
  expect(averageIn({ decay: 0.999, every: 32, warmup: 5 }, 2, 100)).toEqual({
    decay: 0.999,
    every: 32,
    copies: 100,
  });
});
