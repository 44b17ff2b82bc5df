// Counters of memory and energy: against counted tensors, and against a library that answers as NVML does.
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { inFolder, ROOT } from '../data/places.js';
import { core, datasetOf, randomBatch } from '../native/golden.js';

/** Two GPUs; the second knows nothing of energy (3: not supported). */
const NVML = `
#include <string.h>
typedef void* Device;
static int started = 0;
int nvmlInit_v2(void) { started = 1; return 0; }
int nvmlDeviceGetCount_v2(unsigned* n) { *n = 2; return started ? 0 : 1; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, Device* d) { *d = (Device)(long)(i + 1); return 0; }
int nvmlDeviceGetUUID(Device d, char* to, unsigned n) { strncpy(to, d == (Device)1 ? "GPU-a" : "GPU-b", n); return 0; }
int nvmlDeviceGetName(Device d, char* to, unsigned n) { (void)d; strncpy(to, "Made-up 1", n); return 0; }
int nvmlDeviceGetTotalEnergyConsumption(Device d, unsigned long long* mj) { *mj = 5000000001500ULL; return d == (Device)1 ? 0 : 3; }
int nvmlDeviceGetPowerUsage(Device d, unsigned* mw) { (void)d; *mw = 70250; return 0; }
int nvmlDeviceGetUtilizationRates(Device d, unsigned rates[2]) { (void)d; rates[0] = 97; rates[1] = 12; return 0; }
`;

const SCRIPT = `
const { loadCore } = await import(process.argv[1]);
console.log(JSON.stringify(loadCore().energy()));`;

const energyWith = (library: string): unknown =>
  JSON.parse(
    execFileSync(
      process.execPath,
      ['--input-type=module', '--eval', SCRIPT, pathToFileURL(join(ROOT, 'dist', 'native', 'load.js')).href],
      { encoding: 'utf8', env: { ...process.env, SPLITGROW_NVML: library } },
    ),
  );

test('joules, watts and load come from NVML, null where a GPU does not tell', () =>
  inFolder(async (folder) => {
    const [source, library] = [join(folder, 'nvml.c'), join(folder, 'nvml.so')];
    await writeFile(source, NVML);
    execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-o', library, source]);
    const gpu = { name: 'Made-up 1', watts: 70.25, utilisation: 97 };
    expect(energyWith(library)).toEqual([
      { ...gpu, uuid: 'GPU-a', joules: 5000000001.5 },
      { ...gpu, uuid: 'GPU-b', joules: null },
    ]);
  }));

test('without a driver there is no GPU to count', () =>
  inFolder(async (folder) => {
    expect(energyWith(join(folder, 'none.so'))).toEqual([]);
  }));

test('memory counts tensors that are held, and what is empty is given back', () => {
  core().emptyCache();
  const before = core().memory('cpu');
  expect([before.free, before.total]).toEqual([null, null]);
  const data = datasetOf(randomBatch([3, 16, 16], 2, 64, 1), 2);
  const held = core().memory('cpu');
  // 64 images of 3 * 16 * 16 floats and 64 labels of 8 bytes; readers may hold a copy for a moment, not longer.
  expect(held.allocated - before.allocated).toBe(64 * (3 * 16 * 16 * 4 + 8));
  expect(held.peak).toBeGreaterThanOrEqual(held.allocated);
  data.dispose();
  expect(core().memory('cpu').allocated).toBe(before.allocated);
  core().emptyCache();
  const after = core().memory('cpu');
  expect(after.reserved).toBe(after.allocated);
});
