// A system that gives fewer threads than the core computes with: one coded error, not a wait without end.
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';
import { temporaryFolder } from '../run/tiny.js';

const SOURCE = fileURLToPath(new URL('images/few-threads.c', import.meta.url));

/** Threads are counted from `process.env.FEW_THREADS` on: the first argument says how many may start. */
const PROGRAM = `
const { loadCore } = await import(${JSON.stringify(join(ROOT, 'dist', 'native', 'load.js'))});
const { buildPreset } = await import(${JSON.stringify(join(ROOT, 'dist', 'models', 'zoo.js'))});
const { createNetwork } = await import(${JSON.stringify(join(ROOT, 'dist', 'train', 'network.js'))});
const graph = buildPreset('mobilenet_cifar10', { blocks: 1, width: 4, channels: 1, resolution: 8, classes: 2 });
const core = loadCore();
process.env.FEW_THREADS = process.argv.at(-1);
core.setThreads(16);
const network = createNetwork(graph, { seed: 1, device: 'cpu' });
const images = { dtype: 'float32', shape: [2, 1, 8, 8], data: new Uint8Array(4 * 128) };
const labels = { dtype: 'int64', shape: [2], data: new Uint8Array(16) };
const data = core.createDataset(images, labels, [0], [1], 2, 'cpu');
try {
  console.log((await core.evaluate(network.handle, data, { batch: 2 }, null, null)).images);
} catch (error) {
  console.log(error.code + ': ' + error.message);
}
`;

test('with fewer threads than 16 the core says so, with enough it computes', async ({ skip }) => {
  const library = join(temporaryFolder(), 'few-threads.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, SOURCE, '-ldl'], { stdio: 'ignore' });
  } catch {
    skip('no C compiler named cc');
  }
  const run = async (threads: number): Promise<string> => {
    const argv = ['--input-type=module', '-e', PROGRAM, String(threads)];
    const env = { ...process.env, LD_PRELOAD: library };
    return (await promisify(execFile)(process.execPath, argv, { env })).stdout.trim();
  };
  // None, not even for the task itself; for the task alone; for a part of its team.
  for (const threads of [0, 1, 8])
    expect(await run(threads), String(threads)).toMatch(
      /^E_RESOURCES: the system starts no more threads .*fewer threads$/,
    );
  expect(await run(1000)).toBe('2');
}, 600_000);
