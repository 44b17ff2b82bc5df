// Flags that another one leaves without effect: refused, or told on standard error.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { createNetwork, saveNetwork } from '../../lib/train/network.js';
import { core, floats, longs } from '../native/golden.js';
import { temporaryFolder } from '../run/tiny.js';
import { splitgrow } from './command-line.js';

test.each([['--root', 'd'], ['--whole']])('eval on a file of tensors refuses %s', async (...flag) => {
  const { code, stderr } = await splitgrow(['eval', '--network', 'n', '--data', 'x.safetensors', ...flag]);
  expect(code).toBe(2);
  expect(stderr).toContain(`E_USAGE: ${flag[0]}: expected only with a dataset by its name`);
});

test('exact indices tell that epochs are not used', async () => {
  core();
  const folder = temporaryFolder();
  const [net, batch] = [join(folder, 'net'), join(folder, 'batch.safetensors')];
  const graph = buildPreset('mobilenet_cifar10', { blocks: 1, width: 4, resolution: 8, classes: 3 });
  using made = createNetwork(graph, { seed: 1, device: 'cpu' });
  await saveNetwork(made, net);
  const images = floats([2, 3, 8, 8], (i) => (i % 7) / 7);
  await writeSafetensors(
    batch,
    new Map([
      ['images', images],
      ['labels', longs([0, 2])],
    ]),
  );
  const line = [
    'indices',
    '--network',
    net,
    '--batch',
    batch,
    '--method',
    'exact',
    '--epochs',
    '3',
    '--json',
  ];
  const { code, stderr, stdout } = await splitgrow(line);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('not used: --epochs 3; the method exact has no descent');
  expect(JSON.parse(stdout)).toMatchObject({ method: 'exact' });
  const given = [
    '--method',
    'lobpcg',
    '--passes',
    '2',
    '--tolerance',
    '0.5',
    '--images',
    '4',
    '--epochs',
    '3',
  ];
  const other = await splitgrow(['indices', '--network', net, '--batch', batch, ...given, '--json']);
  expect(other.stderr).toContain('not used: --epochs 3; the method lobpcg has no descent');
  const { method, tolerance, layers } = JSON.parse(other.stdout);
  expect([method, tolerance]).toEqual(['lobpcg', 0.5]);
  for (const { epochs, residuals, indices } of layers) {
    expect(epochs).toBeLessThanOrEqual(2);
    expect(residuals).toHaveLength(indices.length);
  }
});
