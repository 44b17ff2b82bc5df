import { expect, test } from 'vitest';
import { macs } from '../../../lib/graph/cost.js';
import { widths } from '../../../lib/graph/print.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import { atMostMacs, scaleWidths } from '../../../lib/rivals/networks/width-multiplier.js';
import { randomGraph } from '../../random-graphs.js';
import { codeOf } from '../../reference.js';

test('a multiple of the CIFAR-10 preset is the preset of that width', () => {
  const seed = buildPreset('mobilenet_cifar10', { width: 8 });
  expect(scaleWidths(seed, 2.5)).toEqual(buildPreset('mobilenet_cifar10', { width: 20 }));
  expect(scaleWidths(seed, 1)).toEqual(seed);
  expect(new Set(Object.values(widths(scaleWidths(seed, 1e-9))))).toEqual(new Set([1, 10]));
});

test('the widest multiple within the target is found: one channel more of the preset exceeds it', () => {
  const seed = buildPreset('mobilenet_cifar10', { width: 8 });
  for (const width of [8, 9, 13, 40]) {
    const of = (w: number): number => macs(buildPreset('mobilenet_cifar10', { width: w }));
    for (const target of [of(width), of(width + 1) - 1]) {
      const { graph, multiplier } = atMostMacs(seed, target);
      expect(macs(graph)).toBe(of(width));
      expect(multiplier).toBe(width / 8);
    }
  }
});

test('of any graph the multiple has at most the target, and at least what the graph has', () => {
  for (let seed = 0; seed < 40; seed += 1) {
    const graph = randomGraph(seed);
    const own = macs(graph);
    for (const factor of [1, 1.3, 4]) {
      const reached = macs(atMostMacs(graph, factor * own).graph);
      expect(reached, `seed ${seed}`).toBeLessThanOrEqual(factor * own);
      expect(reached, `seed ${seed}`).toBeGreaterThanOrEqual(own);
    }
  }
});

test('a target below the network itself makes it narrower, and one that no width reaches is refused', () => {
  const of = (width: number) => buildPreset('mobilenet_cifar10', { width });
  const { graph, multiplier } = atMostMacs(of(8), macs(of(6)) - 1);
  expect([graph, multiplier]).toEqual([of(5), 5 / 8]);
  expect(codeOf(() => atMostMacs(of(8), macs(of(1)) - 1))).toBe('E_ARGUMENT');
});
