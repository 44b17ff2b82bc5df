// FLOPs as the CIFAR figures of the paper's authors count them.
import { expect, test } from 'vitest';
import { costOfGraph, macs } from '../../lib/graph/cost.js';
import { buildPreset } from '../../lib/models/zoo.js';

const HEIGHTS = [32, 32, 16, 16, 8, 8, 4, 4, 4, 4, 4, 4, 2, 2];
const WIDTHS = [8, 8, 8, 8, 16, 16, 24, 24, 24, 24, 24, 24, 32, 32];

test('FLOPs of the CIFAR-100 seed are 2 a MAC, 2 a value of batch norm, 1 of an activation and of a bias, by hand', () => {
  const layers = HEIGHTS.map((height, i) => {
    const [area, out, into] = [height * height, WIDTHS[i] ?? 0, WIDTHS[i - 1] ?? 3];
    if (i === 0) return 2 * 27 * out * area + 3 * out * area;
    // Depthwise at the layer's own positions, then pointwise; each with batch norm and activation.
    return 2 * 9 * into * area + 3 * into * area + 2 * into * out * area + 3 * out * area;
  });
  const want = layers.reduce((sum, one) => sum + one, 0) + 2 * 32 * 100 + 100;
  const graph = buildPreset('mobilenet_cifar100');
  expect(costOfGraph(graph, 'flops2x')).toBe(want);
  // PyTorch 2.11's modules counted by forward hooks.
  expect(want).toBe(1_229_380);
  expect(costOfGraph(graph, 'flops2x') / macs(graph)).toBeGreaterThan(2);
});

test('adds and pools count nothing, and convolutions without bias only their MACs', () => {
  const plain = buildPreset('mobilenet_v2', { width: 0.3 });
  const learned = buildPreset('mobilenet_v2', { width: 0.3, shortcut: 'conv' });
  expect(costOfGraph(learned, 'flops2x') - costOfGraph(plain, 'flops2x')).toBe(2 * (39_113_557 - 37_704_317));
});
