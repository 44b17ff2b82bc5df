#!/usr/bin/env node
// What prebuildify calls in place of node-gyp: the addon by cmake-js, copied to where prebuildify looks for it.
// The folder `build` is shared with `npm run build`, so that nothing is compiled twice.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { buildCuda } from './build-cuda.mjs';
import { main, ROOT, step } from './steps.mjs';

const FILES = ['splitgrow.node', 'splitgrow_core.so', 'splitgrow_cuda.so'];

await main(async () => {
  const isBuilt = process.env.SPLITGROW_PREBUILD_BUILT === '1';
  const isCuda = process.env.SPLITGROW_PREBUILD_CUDA === '1';
  if (!isBuilt) await step('addon', (show) => build({ show }));
  if (isCuda && !isBuilt) await step('CUDA library', (show) => buildCuda({ show }));
  const staged = join(process.cwd(), 'build', 'Release');
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { recursive: true });
  for (const name of FILES) {
    const made = join(ROOT, 'build', 'Release', name);
    if (name !== 'splitgrow_cuda.so' || (isCuda && existsSync(made))) copyFileSync(made, join(staged, name));
  }
});
