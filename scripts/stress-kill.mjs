// Kills a growing run with SIGKILL at random moments, again and again, starts it anew each time, and holds every run that
// gets to its end against one that was not interrupted: node scripts/stress-kill.mjs [--kills 50] [--seed 1] [--output FILE]
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './steps.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    output: { type: 'string' },
  },
});
const KILLS = Number(values.kills);
const MAIN = join(ROOT, 'dist', 'cli', 'main.js');
/** One kill in five comes while the process starts, the others so many milliseconds, at most, after its first note. */
const [EARLY, SPAN] = [0.2, 2500];

const EXPERIMENT = {
  name: 'stress',
  network: { preset: 'mobilenet_cifar10', blocks: 2, width: 4, activation: 'silu' },
  data: { name: 'fashion-mnist', trainImages: 1000, testImages: 500 },
  fit: { epochs: 2, batch: 32, schedule: { kind: 'cosine' }, average: { decay: 0.99 } },
  splitting: { method: 'rayleigh', epochs: 2, batch: 32, optimizerState: 'keep', recalibrateImages: 200 },
  stop: { stages: 2 },
  // Every quarter of a second.
  checkpoint: { minutes: 0.004 },
  seed: 3,
  threads: 1,
};

/** mulberry32: numbers in [0, 1) from a seed. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Starts the run and kills it `wait` milliseconds after its start or, where `isLate`, after its first note; null: not at all.
 * Resolves to its exit code, null where it was killed, and the milliseconds to its first note.
 */
function attempt(file, output, wait, isLate = false) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, 'grow', file, '--set', `output=${output}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const begun = performance.now();
    let [text, first, timer] = ['', Number.NaN, null];
    const arm = () => {
      if (wait !== null) timer ??= setTimeout(() => child.kill('SIGKILL'), wait);
    };
    if (!isLate) arm();
    child.stderr.setEncoding('utf8').on('data', (piece) => {
      if (text === '') first = performance.now() - begun;
      text += piece;
      arm();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal !== 'SIGKILL' && code !== 0) reject(new Error(`exit code ${code}: ${text}`));
      else resolve({ code, text, first });
    });
  });
}

/** Weights of every stage, by name. */
function weightsIn(output) {
  const stages = readdirSync(output).filter((name) => /^stage-\d+$/.test(name));
  return new Map(stages.map((name) => [name, readFileSync(join(output, name, 'weights.safetensors'))]));
}

/** Where a killed run stands: the phase of its furthest checkpoint by name. */
function standing(output) {
  let names = [];
  try {
    names = readdirSync(output).filter((name) => name.startsWith('checkpoint-'));
  } catch {
    return 'before the output folder';
  }
  if (names.length === 0) return 'before the first checkpoint';
  const phases = names.map((name) => /-(fit|indices|grow)-/.exec(name)?.[1] ?? 'epoch');
  return ['grow', 'indices', 'fit', 'epoch'].find((phase) => phases.includes(phase));
}

const folder = mkdtempSync(join(tmpdir(), 'splitgrow-stress-'));
const started = performance.now();
try {
  const file = join(folder, 'experiment.json');
  writeFileSync(file, JSON.stringify(EXPERIMENT));
  const whole = join(folder, 'whole');
  const before = performance.now();
  const { first: startup } = await attempt(file, whole, null);
  const alone = (performance.now() - before) / 1000;
  const expected = weightsIn(whole);
  const random = randomOf(Number(values.seed));
  const counts = { kills: 0, finishedRuns: 0, warnings: 0 };
  const at = {};
  for (let run = 0; counts.kills < KILLS || counts.finishedRuns === 0; run += 1) {
    const output = join(folder, `run-${run}`);
    for (;;) {
      const mayKill = counts.kills < KILLS;
      const isLate = random() >= EARLY;
      const wait = random() * (isLate ? SPAN : startup);
      const { code, text } = await attempt(file, output, mayKill ? wait : null, isLate);
      counts.warnings += text.split('WARNING').length - 1;
      if (code === 0) break;
      counts.kills += 1;
      const phase = standing(output);
      at[phase] = (at[phase] ?? 0) + 1;
    }
    const found = weightsIn(output);
    for (const [stage, weights] of expected) {
      if (!found.get(stage)?.equals(weights))
        throw new Error(`run ${run}, ${stage}: other weights than without kills`);
    }
    counts.finishedRuns += 1;
    rmSync(output, { recursive: true });
  }
  const result = {
    what: 'SIGKILL at random moments; every finished run against an uninterrupted one, weights of all stages byte by byte',
    ...counts,
    equal: true,
    killedAt: at,
    secondsUninterrupted: Number(alone.toFixed(1)),
    seconds: Number(((performance.now() - started) / 1000).toFixed(1)),
    seed: Number(values.seed),
    share: { whileItStarts: EARLY, millisecondsAfterFirstNote: SPAN },
    experiment: EXPERIMENT,
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version },
  };
  const text = `${JSON.stringify(result, null, 2)}\n`;
  if (values.output === undefined) process.stdout.write(text);
  else writeFileSync(values.output, text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
