// For a machine with an NVIDIA GPU: shows that the GPU computes what the CPU does, and times it, in under ten minutes.
// node scripts/gpu-check.mjs [--date TEXT] [--rehearse] [--help]
//
// A machine without a network or Node.js takes, beside the repository: a Node.js binary, node_modules, dist, build and the
// data folder (SPLITGROW_DATA); then
//   SPLITGROW_LIBTORCH=<site-packages>/torch SPLITGROW_PYTORCH=python3 <node> scripts/gpu-check.mjs --built
// where --built takes the TypeScript, the addon and the CUDA library as they are. With a CUDA toolkit there, first
//   <node> scripts/build-cuda.mjs
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bootstrap } from './bootstrap.mjs';
import { compare, parts } from './gpu/compare.mjs';
import { cifarEpoch, SIZES, splitting, training } from './gpu/speed.mjs';
import { main, ROOT, run, say, tool } from './steps.mjs';

const NEEDED = `no GPU can be used here. What this check needs:
  an NVIDIA GPU with a driver for CUDA 13;
  PyTorch 2.11.0 with its CUDA libraries: python3 -m pip install torch==2.11.0;
  splitgrow pointed to it: SPLITGROW_LIBTORCH=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))')
  for speed, the CUDA library: npm run build:cuda
\`npx splitgrow doctor\` says which library does not open.`;

/** Native tests that compare with golden files, within tolerances, all of it on SPLITGROW_TEST_DEVICE. */
const GOLDEN_TESTS = ['forward', 'train', 'precision', 'penalties', 'curvature'];

async function nativeTests(device) {
  const files = GOLDEN_TESTS.map((name) => `test/native/${name}.test.ts`);
  const { code, output } = await run(tool('vitest'), ['run', '--maxWorkers=1', ...files], {
    quiet: true,
    env: { SPLITGROW_TEST_DEVICE: device },
  });
  if (code !== 0) say(output);
  say(`native tests on ${device}: ${code === 0 ? 'passed' : 'FAILED'}`);
  return { files: files.length, isMet: code === 0 };
}

async function gpuName() {
  const { code, output } = await run(
    'nvidia-smi',
    ['--query-gpu=name,driver_version', '--format=csv,noheader'],
    { quiet: true },
  );
  return code === 0 ? output.trim().split('\n')[0] : 'unknown GPU';
}

function report(rows) {
  for (const { what, found, limit, isMet } of rows) {
    say(`${isMet ? 'ok    ' : 'FAILED'}  ${what}: ${found.toExponential(1)}, at most ${limit}`);
  }
}

/** A part that must not take the rest with it: what it found, or why it failed. */
async function attempt(what, work) {
  const start = performance.now();
  try {
    const found = await work();
    say(`${what}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
    return found;
  } catch (error) {
    say(`${what} FAILED: ${error.message}`);
    return { error: String(error.message) };
  }
}

async function timings(lib, device, sizes) {
  const { bfloat16 } = lib.loadCore().features();
  const precision = bfloat16[device] ? 'bfloat16' : 'float32';
  return {
    training: await attempt('training', () => training(lib, device, precision, sizes)),
    splitting: await attempt('splitting', () => splitting(lib, device, sizes)),
    cifar: await attempt('CIFAR epoch', () => cifarEpoch(lib, device, sizes)),
  };
}
const hasFailed = (parts) => Object.values(parts).some((part) => part.error !== undefined);

await main(async () => {
  const { values } = parseArgs({
    options: {
      date: { type: 'string' },
      rehearse: { type: 'boolean' },
      built: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    say(
      'node scripts/gpu-check.mjs [--date TEXT] [--built] [--rehearse]\n' +
        '  --built      takes what is compiled already\n' +
        '  --rehearse   the CPU against itself, at small sizes; writes nothing',
    );
    return 0;
  }
  if (!values.built) await bootstrap();
  const lib = await parts();
  const features = lib.loadCore().features();
  if (values.rehearse) {
    // Shows that this script works, nothing else.
    const rows = await compare(lib, 'cpu');
    report(rows);
    const tests = await nativeTests('cpu');
    const speed = await timings(lib, 'cpu', SIZES.rehearsal);
    return rows.every(({ isMet }) => isMet) && tests.isMet && !hasFailed(speed) ? 0 : 1;
  }
  if (!features.cuda) {
    say(NEEDED);
    return 1;
  }
  say(`accelerator: ${features.accelerator} ${features.acceleratorFault}`);
  const rows = await compare(lib, 'cuda');
  report(rows);
  const tests = await nativeTests('cuda');
  const speed = await timings(lib, 'cuda', SIZES.real);
  const { machine, writeResult } = await import('../benchmarks/common.mjs');
  const file = await writeResult('gpu', {
    format: 'splitgrow-gpu-check/2',
    machine: machine({ ...features, gpu: await gpuName(), ...(values.date && { date: values.date }) }),
    comparison: rows,
    nativeTests: tests,
    ...speed,
  });
  say(`written: ${existsSync(file) ? file : 'nothing'} (in ${ROOT})`);
  return rows.every(({ isMet }) => isMet) && tests.isMet && !hasFailed(speed) ? 0 : 1;
});
