// npm run fuzz [-- target [seconds]] [--record]: coverage-guided fuzzing of the readers of untrusted files.
// Without a target all of them, one after the other, a minute each. --record keeps corpus and result in the repository.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bootstrap } from './bootstrap.mjs';
import { linesOf, textOf } from './fuzz/corpus.mjs';
import { engineOptions } from './fuzz/old-libc.mjs';
import { machine, recordResult } from './record.mjs';
import { main, must, ROOT, run, StepError, say, tool } from './steps.mjs';

export const TARGETS = ['safetensors', 'network', 'plan', 'experiment'];

const BUILD = join(ROOT, 'build', 'fuzz');
const KEPT = join(ROOT, 'test', 'fuzz', 'corpus');
const SECONDS = 60;

/** Bytes of an input, seconds that one may take, MiB that the process may take. */
const LIMITS = { inputBytes: 4096, secondsAnInput: 30, megabytes: 2048 };

const require = createRequire(import.meta.url);

/** Environment and words of a process of the engine on a target. */
async function engine(target, folder) {
  const { env, args } = await engineOptions(join(BUILD, 'engine'));
  const cli = join(require.resolve('@jazzer.js/core'), '..', 'cli.js');
  return {
    env: {
      ...env,
      // Also in processes that the engine starts.
      NODE_OPTIONS: args.join(' '),
      SPLITGROW_FUZZ_FOLDER: folder,
      SPLITGROW_ADDON: join(ROOT, 'build', 'Release'),
      OMP_NUM_THREADS: '1',
    },
    words: (folders, options) => [
      cli,
      join(BUILD, 'js', 'test', 'fuzz', `${target}.fuzz.js`),
      ...folders,
      ...['--includes', 'build/fuzz/js/lib/', '--timeout', String(1000 * LIMITS.secondsAnInput), '--'],
      ...[`-max_len=${LIMITS.inputBytes}`, `-rss_limit_mb=${LIMITS.megabytes}`, ...options],
    ],
  };
}

/** Writes inputs as files of a new folder. */
function asFolder(path, inputs) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  for (const [i, bytes] of inputs.entries()) writeFileSync(join(path, String(i)), bytes);
  return path;
}

const inputsIn = (folder) =>
  readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));

function keptOf(target, kind) {
  const file = join(KEPT, `${target}.${kind}.txt`);
  return existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : [];
}

function keep(target, kind, inputs) {
  writeFileSync(join(KEPT, `${target}.${kind}.txt`), textOf(inputs));
}

/** A dictionary in libFuzzer's form. */
function dictionaryOf(words) {
  const escaped = (word) =>
    [...Buffer.from(word)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return `${words.map((word) => `"${escaped(word)}"`).join('\n')}\n`;
}

/** The figures of libFuzzer's last lines. */
function figuresOf(output) {
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  const last = [...output.matchAll(/cov: (\d+) ft: (\d+) corp: (\d+)/g)].at(-1) ?? [];
  return {
    executions: number(/number_of_executed_units: (\d+)/),
    executionsPerSecond: number(/average_exec_per_sec:\s+(\d+)/),
    edges: Number(last[1]),
    features: Number(last[2]),
    slowestSeconds: number(/slowest_unit_time_sec:\s+(\d+)/),
    peakMebibytes: number(/peak_rss_mb:\s+(\d+)/),
  };
}

/** Fuzzes one target; keeps what it found. Resolves to whether there was no finding. */
async function fuzz(target, seconds, isRecorded) {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'splitgrow-fuzz-'));
  const at = (name) => join(BUILD, target, name);
  try {
    const { env, words } = await engine(target, folder);
    process.env.SPLITGROW_FUZZ_FOLDER = folder;
    const module = await import(pathToFileURL(join(BUILD, 'js', 'test', 'fuzz', `${target}.fuzz.js`)).href);
    const seeds = asFolder(at('seeds'), [
      ...(await module.seeds()),
      ...keptOf(target, 'corpus'),
      ...keptOf(target, 'found'),
    ]);
    const corpus = asFolder(at('corpus'), []);
    const found = asFolder(at('found'), []);
    writeFileSync(at('dictionary'), dictionaryOf(module.words()));
    say(`${target}: ${seconds} s from ${readdirSync(seeds).length} seeds`);
    const options = [`-max_total_time=${seconds}`, `-dict=${at('dictionary')}`, '-print_final_stats=1'];
    const artifacts = `-artifact_prefix=${found}/`;
    const start = performance.now();
    const { code, output } = await run(
      process.execPath,
      words([corpus, seeds], [...options, artifacts, '-verbosity=1']),
      { quiet: true, env },
    );
    const findings = inputsIn(found);
    const figures = { ...figuresOf(output), seconds: Math.round((performance.now() - start) / 1000) };
    if (code !== 0 && findings.length === 0)
      throw new StepError(`the engine failed with code ${code}:\n${output.slice(-4000)}`);
    say(
      `${target}: ${figures.executions} executions in ${figures.seconds} s, ${figures.edges} edges, ${findings.length} findings`,
    );
    if (findings.length > 0) {
      say(output.slice(0, 8000).split('\n').slice(-120).join('\n'));
      say(output.slice(-3000));
      keep(target, 'found', [...keptOf(target, 'found'), ...findings]);
      say(`kept in test/fuzz/corpus/${target}.found.txt, which npm test replays`);
    }
    if (isRecorded) {
      const merged = asFolder(at('merged'), []);
      await must('minimising the corpus', process.execPath, words([merged, corpus, seeds], ['-merge=1']), {
        env,
      });
      const inputs = inputsIn(merged);
      keep(target, 'corpus', inputs);
      const result = {
        date: new Date().toISOString().slice(0, 10),
        ...figures,
        findings: findings.length,
        keptInputs: inputs.length,
        foundBefore: keptOf(target, 'found').length - findings.length,
      };
      recordResult('fuzz', (before) => ({
        what: 'coverage-guided fuzzing of the readers of untrusted files (npm run fuzz -- TARGET SECONDS --record); edges are those of lib/',
        limits: LIMITS,
        targets: { ...before?.targets, [target]: result },
        machine: machine(),
      }));
    }
    return findings.length === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main(async () => {
  const { values, positionals } = parseArgs({
    options: { record: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [name, given = String(SECONDS)] = positionals;
  if ((name !== undefined && !TARGETS.includes(name)) || !(Number(given) > 0))
    throw new StepError(
      `usage: npm run fuzz [-- TARGET [SECONDS]] [--record], TARGET one of ${TARGETS.join(', ')}`,
    );
  await bootstrap();
  await must('compiling the targets', tool('tsc'), ['-p', 'tsconfig.fuzz.json']);
  let isGood = true;
  for (const target of name === undefined ? TARGETS : [name])
    isGood = (await fuzz(target, Number(given), values.record)) && isGood;
  return isGood ? 0 : 1;
});
