import { expect, test } from 'vitest';
import { epochsOf, stretched, totalEpochs } from '../../lib/experiment/epochs.js';
import { parseExperiment } from '../../lib/experiment/spec.js';
import { messageOf } from '../reference.js';

const LEAST = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10' } };

test('one number holds for every stage, the last of a list for all that follow', () => {
  expect([0, 1, 7].map((stage) => epochsOf({ epochs: 3 }, stage))).toEqual([3, 3, 3]);
  expect([0, 1, 2, 7].map((stage) => epochsOf({ epochs: [5, 0, 9] }, stage))).toEqual([5, 0, 9, 9]);
  expect(totalEpochs({ epochs: 3 }, 4)).toBe(12);
  expect(totalEpochs({ epochs: [5, 0, 9] }, 4)).toBe(23);
});

test('a list of epochs is checked entry by entry, and against the warm-up', () => {
  const given = (epochs: unknown, warmup = 0): unknown => ({
    ...LEAST,
    fit: { epochs, schedule: { kind: 'cosine', warmup } },
  });
  expect(parseExperiment(given([4, 0, 9], 2)).fit.epochs).toEqual([4, 0, 9]);
  expect(messageOf(() => parseExperiment(given([4, 2], 2)))).toContain('fit.schedule.warmup');
  expect(messageOf(() => parseExperiment(given([])))).toContain('fit.epochs');
  expect(messageOf(() => parseExperiment(given([1, 2.5])))).toContain('fit.epochs');
});

test('a recipe over other epochs keeps its steps at the same shares of the stage that it is taken from', () => {
  const { fit } = parseExperiment({ ...LEAST, fit: { epochs: [160, 40] } });
  expect(stretched(fit, 0, 480)).toMatchObject({ epochs: 480, schedule: { at: [240, 360], factor: 0.1 } });
  expect(stretched(fit, 0, 80)).toMatchObject({ epochs: 80, schedule: { at: [40, 60] } });
  expect(stretched(fit, 3, 80)).toMatchObject({ epochs: 80, schedule: { at: [160, 240] } });
});

test('a warm-up is never longer than in the recipe, and shorter where the epochs are fewer', () => {
  const schedule = { kind: 'cosine', warmup: 2 };
  const { fit } = parseExperiment({ ...LEAST, fit: { epochs: 8, schedule } });
  expect(stretched(fit, 0, 24)).toMatchObject({ epochs: 24, schedule });
  expect(stretched(fit, 0, 2)).toMatchObject({ epochs: 2, schedule: { kind: 'cosine', warmup: 0.5 } });
});
