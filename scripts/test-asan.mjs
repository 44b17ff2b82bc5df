// npm run test:asan: the native tests with AddressSanitizer and UndefinedBehaviorSanitizer in the addon.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { build } from './build.mjs';
import { machine, recordResult, today } from './record.mjs';
import { main, must, ROOT, run, StepError, step, tool } from './steps.mjs';

const FOLDER = 'build-asan';
const SANITIZERS = 'address,undefined';

/** What the compiler calls where it checks: a read, a shift, a sum of signed numbers. */
const CALLED = ['__asan_report_load', '__ubsan_handle_shift_out_of_bounds', '__ubsan_handle_add_overflow'];

/** The compiler's own copy of a sanitizer's library. */
async function libraryOf(name) {
  return (await must(`looking for ${name}`, process.env.CXX ?? 'c++', [`-print-file-name=${name}`])).trim();
}

await main(async () => {
  await bootstrap();
  await step('addon with sanitizers', (show) => build({ sanitize: SANITIZERS, out: FOLDER, show }));
  const core = join(ROOT, FOLDER, 'Release', 'splitgrow_core.so');
  const symbols = await must('looking for the checks', 'nm', ['-D', '--undefined-only', core]);
  const missing = CALLED.filter((name) => !symbols.includes(name));
  if (missing.length > 0) throw new StepError(`${core}: expected calls of ${missing.join(', ')}, found none`);
  // libstdc++ too, or the sanitizer does not see the C++ runtime that LibTorch brings in later.
  const preload = await Promise.all(['libasan.so', 'libubsan.so', 'libstdc++.so.6'].map(libraryOf));
  const isRecorded = process.argv.includes('--record');
  const files = process.argv.slice(2).filter((word) => word !== '--record');
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-asan-'));
  const counts = join(folder, 'counts.json');
  const { code } = await run(
    process.execPath,
    [tool('vitest'), 'run', '--maxWorkers=1', ...(files.length > 0 ? files : ['test/native'])],
    {
      env: {
        SPLITGROW_COUNTS: counts,
        LD_PRELOAD: preload.join(' '),
        SPLITGROW_ADDON: join(ROOT, FOLDER, 'Release'),
        // V8's memory is never given back at exit; LibTorch is not built with sanitizers.
        ASAN_OPTIONS: 'detect_leaks=0:detect_container_overflow=0:protect_shadow_gap=0:halt_on_error=1',
        UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
      },
    },
  );
  if (isRecorded && files.length === 0) {
    const told = JSON.parse(readFileSync(counts, 'utf8'));
    recordResult('asan', () => ({ date: today(), sanitizers: SANITIZERS, ...told, machine: machine() }));
  }
  rmSync(folder, { recursive: true, force: true });
  return code;
});
