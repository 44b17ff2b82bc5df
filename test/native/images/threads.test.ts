// A system that gives fewer threads than asked for, or none: fewer work, or a coded error; never the end of the process.
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { inFolder, ROOT } from '../../data/places.js';
import { PICTURES } from './files.js';

const SOURCE = fileURLToPath(new URL('few-threads.c', import.meta.url));

/** Runs in a process whose threads are counted from `process.env.FEW_THREADS` on. */
const PROGRAM = `
const { loadCore } = await import(${JSON.stringify(join(ROOT, 'dist', 'native', 'load.js'))});
const { loadImageCore } = await import(${JSON.stringify(join(ROOT, 'dist', 'native', 'load.js'))});
const core = loadImageCore();
loadCore().setThreads(1);
const files = { root: ${JSON.stringify(PICTURES)}, paths: ['rgb.jpg', 'grey.jpg', 'dot.jpg'], labels: new Int32Array(3) };
const limits = { maxPixels: 1e6, maxScans: 100 };
const data = core.createImageDataset({ files }, {
  ...limits, resolution: 8, shortSide: 8, classes: 1, mean: [0, 0, 0], std: [1, 1, 1], device: 'cpu', workers: 4,
  prefetch: 1, scaledDecoding: false, skipUnreadable: false,
});
const pass = { batch: 2, shuffle: false, flip: false, seed: 1, steps: null };
const calls = {
  scan: () => core.scanImages(files, { ...limits, threads: 4, decode: true }, null, null),
  sweep: () => core.sweepImages(data, pass, null, null),
};
process.env.FEW_THREADS = process.argv.at(-1);
try {
  const found = await calls[process.argv.at(-2)]();
  console.log(found.images ?? found.kinds.length);
} catch (error) {
  console.log(error.code + ': ' + error.message);
}
`;

test.for(['scan', 'sweep'])(
  '%s: with one thread of four it is done, with none it says so',
  async (call, { skip }) => {
    await inFolder(async (folder) => {
      const library = join(folder, 'few-threads.so');
      try {
        execFileSync('cc', ['-shared', '-fPIC', '-o', library, SOURCE, '-ldl'], { stdio: 'ignore' });
      } catch {
        skip('no C compiler named cc');
      }
      // The task's own thread is the first one.
      const run = async (threads: number): Promise<string> => {
        const argv = ['--input-type=module', '-e', PROGRAM, call, String(threads)];
        const env = { ...process.env, LD_PRELOAD: library };
        return (await promisify(execFile)(process.execPath, argv, { env })).stdout.trim();
      };
      expect(await run(2)).toBe('3');
      expect(await run(1)).toMatch(/^E_RESOURCES: the system starts no more threads .*ulimit -u/);
    });
  },
);
