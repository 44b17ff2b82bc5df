// npm run lint:native [-- FILE...] [--jobs N] [--record]: clang-tidy over native/, by the checks of .clang-tidy; any finding fails.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { libtorch } from './build.mjs';
import { clangTidy, VERSION } from './clang-tidy.mjs';
import { machine, recordResult, today } from './record.mjs';
import { digest, filesIn, isStamped, main, must, ROOT, run, say, stamp, tool } from './steps.mjs';

/** Configured for its compile_commands.json, never built: clang cannot read the precompiled headers of another compiler. */
const FOLDER = join(ROOT, 'build', 'tidy');

/** OpenMP's header belongs to the compiler, and is not clang's: at::parallel_for is read without it. */
const EXTRA = ['-fno-openmp', '-Wno-unknown-pragmas'].map((word) => `--extra-arg=${word}`);

/** Loops like those of kernels_baseline.cc, for other processors. */
const TWICE = /kernels_(avx|amx)/;

/** What the compiler is called with, one entry a source file. native/cuda needs NVIDIA's compiler, all but rows.cc and its twin. */
async function commands() {
  const { root } = await libtorch();
  await must('configuring', tool('cmake-js'), [
    ...['configure', '--directory', ROOT, '--out', FOLDER, '--log-level', 'error'],
    ...[`--CDSPLITGROW_LIBTORCH=${root}`, '--CDCMAKE_EXPORT_COMPILE_COMMANDS=ON'],
  ]);
  const entries = JSON.parse(readFileSync(join(FOLDER, 'compile_commands.json'), 'utf8'));
  const files = new Set(entries.map(({ file }) => file));
  return [...files].filter((file) => file.startsWith(join(ROOT, 'native')) && !TWICE.test(file)).sort();
}

/** What a file's findings depend on: itself, every header, the checks. */
function stateOf(file) {
  const headers = filesIn(['native'], (path) => path.endsWith('.h'));
  return digest([file, ...headers, join(ROOT, '.clang-tidy')], [VERSION]);
}

/** Lints one file; null where it is as it was when it had no findings. */
async function lint(program, file) {
  const name = `tidy-${relative(ROOT, file).replaceAll('/', '_')}`;
  const state = stateOf(file);
  if (isStamped(name, state)) return null;
  const { code, output } = await run(program, ['-p', FOLDER, '--quiet', ...EXTRA, file], { quiet: true });
  if (code === 0) {
    stamp(name, state);
    return { file, problems: '' };
  }
  const problems = output.split('\n').filter((line) => !/^\d+ warnings? |^Suppressed /.test(line));
  return { file, problems: problems.join('\n').trim() };
}

await main(async () => {
  const { values, positionals } = parseArgs({
    options: { record: { type: 'boolean', default: false }, jobs: { type: 'string' } },
    allowPositionals: true,
  });
  const asked = new Set(positionals.map((path) => resolve(path)));
  const all = await commands();
  const program = await clangTidy();
  const files = all.filter((file) => asked.size === 0 || asked.has(file));
  const waiting = [...files];
  const counts = { clean: 0, unchanged: 0, failed: 0 };
  const start = performance.now();
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await lint(program, file);
      counts[result === null ? 'unchanged' : result.problems === '' ? 'clean' : 'failed'] += 1;
      if (result?.problems) say(result.problems.replaceAll(`${ROOT}/`, ''));
    }
  };
  const jobs = Number(values.jobs ?? availableParallelism());
  await Promise.all(Array.from({ length: jobs }, work));
  const seconds = Math.round((performance.now() - start) / 1000);
  say(
    `${files.length} files, ${counts.unchanged} of them unchanged, ${counts.failed} with findings, ${seconds} s`,
  );
  if (values.record && asked.size === 0)
    recordResult('tidy', () => ({
      date: today(),
      tool: `clang-tidy ${VERSION}`,
      files: files.length,
      filesWithFindings: counts.failed,
      machine: machine(),
    }));
  return counts.failed === 0 ? 0 : 1;
});
