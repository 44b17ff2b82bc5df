import { expect, test } from 'vitest';
import { distanceOf } from '../../lib/bench/distance.js';
import { assertClose } from '../reference.js';

const layers = (...lists: readonly (readonly number[])[]) => lists.map((indices) => ({ indices }));

test('the distance is that of the worst layer and of the worst neuron, as counted by hand', () => {
  const exact = layers([-8, -2], [-1, 0]);
  const found = layers([-8, -1], [-1, 0.005]);
  const { ofLayer, ofNeuron } = distanceOf(exact, found);
  // The first layer: 1 of 10, and a half of 2. The second: 0.005 of 1, and a half of a hundredth of its largest.
  assertClose([ofLayer, ofNeuron], [0.1, 0.5], { rtol: 1e-12, atol: 0 });
});

test('equal indices have no distance, and a layer whose exact indices are 0 does not count', () => {
  expect(distanceOf(layers([-8, -2]), layers([-8, -2]))).toEqual({ ofLayer: 0, ofNeuron: 0 });
  expect(distanceOf(layers([0, 0], [-1]), layers([3, 3], [-1]))).toEqual({ ofLayer: 0, ofNeuron: 0 });
  expect(distanceOf([], [])).toEqual({ ofLayer: 0, ofNeuron: 0 });
});

test('an index that is missing is no distance of 0', () => {
  expect(distanceOf(layers([-8, -2]), layers([-8]))).toEqual({ ofLayer: Number.NaN, ofNeuron: Number.NaN });
});
