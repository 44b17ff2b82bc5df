// Whole runs of the program, for benchmarks/engine.mjs: the demo, and epochs over CIFAR-10.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run } from '../scripts/steps.mjs';
import { median, say } from './common.mjs';

const CLI = join(ROOT, 'dist', 'cli', 'main.js');
/** The first epoch is slower: files are read. */
const EPOCHS = 4;

/** Runs a command of splitgrow with a new output folder; `read` makes a result of the folder and the seconds. */
async function timed(words, env, read) {
  const folder = await mkdtemp(join(tmpdir(), 'splitgrow-bench-'));
  const out = join(folder, 'run');
  try {
    const start = performance.now();
    const args = [CLI, ...words, '--set', `output=${out}`, '--json'];
    const { code, output } = await run(process.execPath, args, { quiet: true, env });
    const seconds = (performance.now() - start) / 1000;
    return code === 0 ? await read(out, seconds) : { leftOut: output.trim().slice(-500) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function epochSeconds(out) {
  const lines = (await readFile(join(out, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  const each = lines
    .map((line) => JSON.parse(line))
    .flatMap(({ type, seconds }) => (type === 'epoch' ? [seconds] : []));
  return { seconds: median(each), each };
}

/** Of each program: seconds of the demo, and the median epoch of the CIFAR-10 seed at its own batch and augmentation. */
export async function wholesOf(programs, { root }) {
  const wholes = {};
  for (const [name, { env }] of Object.entries(programs)) {
    say(`${name}: the demo`);
    const demo = await timed(['grow', join(ROOT, 'experiments', 'demo.json')], env, (_, seconds) => ({
      seconds,
    }));
    say(`${name}: ${EPOCHS} epochs over CIFAR-10`);
    const words = ['train', join(ROOT, 'experiments', 'cifar10-k3.json'), '--set', `fit.epochs=${EPOCHS}`];
    const data = root === undefined ? [] : ['--set', `data.root=${root}`];
    const whole = ['--set', 'data.whole=true'];
    const epoch = await timed([...words, ...data, ...whole], env, epochSeconds);
    wholes[name] = { demo, epoch };
  }
  return wholes;
}
