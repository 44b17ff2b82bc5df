// How many validation images an experiment gets that does not say, and that whatever chooses has some.
import { expect, test } from 'vitest';
import { obstacle } from '../../../lib/run/spec/differences.js';
import { parseExperiment, withDefaults } from '../../../lib/run/spec/spec.js';

const LEAST = { name: 'x', network: { preset: 'mobilenet_cifar10' }, stop: { stages: 1 } };
const sizeOf = (data: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  parseExperiment({ ...LEAST, data, ...more }).data.validation;
const FILE = { file: 'x.safetensors' };

test.each([
  ['cifar10', 0.1],
  ['cifar100', 0.1],
  ['image-folder', 0.1],
  // 10,000 of the whole set: test/train/validation.test.ts rounds a share to whole images.
  ['imagenet', 10_000 / 1_281_167],
  ['fashion-mnist', 0],
])('%s sets %s apart', (name, wanted) => {
  expect(sizeOf({ name })).toBe(wanted);
  expect(sizeOf({ name, validation: 0 })).toBe(0);
  expect(sizeOf({ name, validation: 25 })).toBe(25);
});

test('where something chooses, other data set a tenth apart too, and none is refused', () => {
  expect(sizeOf(FILE)).toBe(0);
  for (const more of [
    { deliver: 'best' },
    { deliver: { which: 'retrain' } },
    { checkpoint: { evaluateEvery: 2 } },
  ]) {
    expect(sizeOf(FILE, more)).toBe(0.1);
    expect(() => sizeOf({ ...FILE, validation: 0 }, more)).toThrow(
      /data\.validation: expected images to choose by, as /,
    );
  }
});

test.each([1.5, -0.1, 'all'])('%s is no number of validation images', (validation) => {
  expect(() => sizeOf({ ...FILE, validation })).toThrow(/data\.validation: expected/);
});

test('a run that was kept before there were validation images had none, and says so where it is to go on with some', () => {
  const kept = { ...LEAST, data: { name: 'cifar10' } };
  const asked = parseExperiment(kept);
  const found = obstacle(withDefaults(kept), asked);
  expect(found).toEqual({ field: 'data.validation', kept: '0', asked: '0.1' });
  expect(obstacle(withDefaults(kept), parseExperiment(kept, ['data.validation=0']))).toBeNull();
});

test('a delivery may be a name, whose members overrides set', () => {
  const { deliver } = parseExperiment({ ...LEAST, data: FILE, deliver: 'best' }, ['deliver.compute=1e9']);
  expect(deliver).toEqual({ which: 'best', compute: 1e9, learningRate: null, stages: false });
  const { deliver: other } = parseExperiment({ ...LEAST, data: FILE }, ['deliver=retrain']);
  expect(other.which).toBe('retrain');
  expect(() => parseExperiment({ ...LEAST, data: FILE, deliver: 'bets' })).toThrow(
    /deliver\.which: .*"best"/,
  );
});
