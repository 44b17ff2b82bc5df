// npm run test:asan: the native tests with AddressSanitizer and UndefinedBehaviorSanitizer in the addon.
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { build } from './build.mjs';
import { main, must, ROOT, run, step, tool } from './steps.mjs';

const FOLDER = 'build-asan';

/** The compiler's own copy of a sanitizer's library. */
async function libraryOf(name) {
  return (await must(`looking for ${name}`, process.env.CXX ?? 'c++', [`-print-file-name=${name}`])).trim();
}

await main(async () => {
  await bootstrap();
  await step('addon with sanitizers', (show) => build({ sanitize: 'address,undefined', out: FOLDER, show }));
  // libstdc++ too, or the sanitizer does not see the C++ runtime that LibTorch brings in later.
  const preload = await Promise.all(['libasan.so', 'libubsan.so', 'libstdc++.so.6'].map(libraryOf));
  const files = process.argv.slice(2);
  const { code } = await run(
    process.execPath,
    [tool('vitest'), 'run', '--maxWorkers=1', ...(files.length > 0 ? files : ['test/native'])],
    {
      env: {
        LD_PRELOAD: preload.join(' '),
        SPLITGROW_ADDON: join(ROOT, FOLDER, 'Release'),
        // V8's memory is never given back at exit; LibTorch is not built with sanitizers.
        ASAN_OPTIONS: 'detect_leaks=0:detect_container_overflow=0:protect_shadow_gap=0:halt_on_error=1',
        UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
      },
    },
  );
  return code;
});
