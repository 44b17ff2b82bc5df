import { expect, test } from 'vitest';
import { macs } from '../../../lib/graph/cost.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import { atResolution, resolutionAtMost } from '../../../lib/rivals/networks/resolution-multiplier.js';
import { graphOf } from '../../native/golden.js';
import { codeOf } from '../../reference.js';

test('a network at another resolution is the preset of that resolution', () => {
  expect(atResolution(buildPreset('mobilenet_v1'), 160)).toEqual(
    buildPreset('mobilenet_v1', { resolution: 160 }),
  );
});

test('MobileNetV1 within the MACs that Howard et al. print for a resolution is at that resolution', () => {
  // Table 7 of arXiv 1704.04861: 569, 418, 290 and 186 million, rounded.
  for (const [millions, pixels] of [
    [569, 224],
    [418, 192],
    [290, 160],
    [186, 128],
  ] as const) {
    const { graph, resolution } = resolutionAtMost(buildPreset('mobilenet_v1'), (millions + 1) * 1e6);
    expect(resolution).toBe(pixels);
    expect(Math.abs(macs(graph) / 1e6 - millions)).toBeLessThan(1);
  }
});

test('one pixel more has too many MACs, and never more pixels than the network has are taken', () => {
  const full = buildPreset('mobilenet_cifar10', { width: 8 });
  for (const share of [0.9, 0.5, 0.1]) {
    const target = Math.round(share * macs(full));
    const { graph, resolution } = resolutionAtMost(full, target);
    expect(macs(graph)).toBeLessThanOrEqual(target);
    expect(macs(atResolution(full, resolution + 1))).toBeGreaterThan(target);
  }
  expect(resolutionAtMost(full, 10 * macs(full))).toEqual({ graph: full, resolution: 32 });
});

test('a target below one pixel, windows larger than the image, and images that are not square are refused', () => {
  const seed = buildPreset('mobilenet_cifar10');
  expect(codeOf(() => resolutionAtMost(seed, macs(atResolution(seed, 1)) - 1))).toBe('E_ARGUMENT');
  const windows = graphOf(
    [1, 8, 8],
    [
      ['conv', 'conv2d', 'input', { out: 2, kernel: 5, padding: 0 }],
      ['pool', 'global_avg_pool', 'conv'],
      ['out', 'linear', 'pool', { out: 2 }],
    ],
  );
  const smallest = macs(atResolution(windows, 5));
  expect(resolutionAtMost(windows, smallest).resolution).toBe(5);
  expect(codeOf(() => resolutionAtMost(windows, smallest - 1))).toBe('E_ARGUMENT');
  expect(codeOf(() => resolutionAtMost({ ...seed, input: { shape: [3, 32, 16] } }, 1e9))).toBe('E_ARGUMENT');
});
