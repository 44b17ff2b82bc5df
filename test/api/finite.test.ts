// Nothing that is written holds a number that is not finite, and numbers that float32 does not hold are refused where they are given.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { split } from '../../lib/api/split.js';
import { number, numbers } from '../../lib/cli/flags.js';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import { parseGraph } from '../../lib/graph/check.js';
import { isFloat32 } from '../../lib/graph/float32.js';
import { FORMAT } from '../../lib/graph/ir.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { refuseNotFinite } from '../../lib/train/network.js';
import { codeOf, messageOf } from '../reference.js';
import { temporaryFolder } from '../run/tiny.js';
import { floats, writeNetwork } from './batch-files.js';

/** The largest number of float32, and one above it that rounds to infinity. */
const [MOST, BEYOND] = [3.4028234663852886e38, 3.5e38];

test('float32 holds 0 and what lies between its smallest and its largest numbers', () => {
  for (const value of [0, -0, 1, -1e-45, 1.5e-45, MOST, -MOST])
    expect(isFloat32(value), String(value)).toBe(true);
  for (const value of [BEYOND, -BEYOND, 1e39, 1e-46, -1e-300, Infinity, Number.NaN])
    expect(isFloat32(value), String(value)).toBe(false);
});

async function prepared() {
  const folder = temporaryFolder();
  const directions = join(folder, 'v.safetensors');
  const network = await writeNetwork(folder);
  // Two of the four are far from unit vectors.
  await writeSafetensors(directions, new Map([['stem', floats([4, 9], (i) => (i < 18 ? 1 : 1e3))]]));
  return { network, directions, out: join(folder, 'out'), plan: { splits: { stem: [0, 2] } } };
}

test.each([1e39, -1e39, 1e-46, Number.NaN, Infinity])(
  'a split by an epsilon of %s is refused',
  async (epsilon) => {
    const given = await prepared();
    await expect(split({ ...given, epsilon })).rejects.toMatchObject({
      code: 'E_ARGUMENT',
      message: expect.stringMatching(/^epsilon: expected a number that float32 holds/),
    });
    expect(existsSync(given.out)).toBe(false);
  },
);

test('a split whose weights become infinite writes nothing, and names the tensor', async () => {
  const given = await prepared();
  await expect(split({ ...given, epsilon: 1e38 })).rejects.toMatchObject({
    code: 'E_NOT_FINITE',
    exitCode: 1,
    message: expect.stringContaining('"stem.weight"'),
  });
  expect(existsSync(given.out)).toBe(false);
  await split({ ...given, plan: { splits: { stem: [0] } }, epsilon: 1e38 });
  expect(existsSync(given.out)).toBe(true);
});

test('tensors with a number that is not finite are refused, whatever it is and wherever it stands', () => {
  for (const wrong of [Number.NaN, Infinity, -Infinity]) {
    const tensors = new Map([['x', floats([3], (i) => (i === 2 ? wrong : MOST))]]);
    expect(codeOf(() => refuseNotFinite(tensors, 'place'))).toBe('E_NOT_FINITE');
  }
  refuseNotFinite(new Map([['x', floats([3], () => MOST)]]), 'place');
});

test('numbers of the command line are those that float32 holds', () => {
  const flag = number('E', 'epsilon');
  expect(flag.parse('3.4e38', '--epsilon', undefined)).toBe(3.4e38);
  expect(messageOf(() => flag.parse('1e39', '--epsilon', undefined))).toMatch(
    /--epsilon: expected a number that float32 holds .*, got "1e39"/,
  );
  expect(messageOf(() => flag.parse('x', '--epsilon', undefined))).toMatch(/expected a number, got "x"/);
  expect(messageOf(() => numbers('LIST', 'std').parse('1,1e-50', '--std', undefined))).toMatch(
    /float32 holds/,
  );
});

const LEAST = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10', root: 'DIR' } };

test.each([
  ['splitting.epsilon', 1e39],
  ['splitting.identityCurvature', -1e39],
  ['splitting.lineSearch.grid.0', 1e300],
  ['fit.optimizer.learningRate', 1e39],
  ['fit.optimizer.weightDecay', 1e-60],
])('an experiment with %s of %d is refused by its name', (path, value) => {
  const override = path.endsWith('.0') ? `${path.slice(0, -2)}=[${value}]` : `${path}=${value}`;
  expect(messageOf(() => parseExperiment(LEAST, [override]))).toMatch(
    new RegExp(`^${path}: expected a number that float32 holds .*, got `),
  );
});

test.each(['mean', 'std'] as const)('a network whose %s float32 does not hold is refused', (key) => {
  const input = { shape: [1, 4, 4], mean: [0], std: [1], [key]: [key === 'mean' ? 1e39 : 1e-50] };
  const nodes = [
    { id: 'pool', op: 'global_avg_pool', inputs: ['input'] },
    { id: 'y', op: 'linear', inputs: ['pool'], out: 2 },
  ];
  const graph = { format: FORMAT, name: 'x', input, nodes, output: 'y' };
  expect(messageOf(() => parseGraph(graph))).toContain(`input.${key} must hold finite numbers of float32`);
});
