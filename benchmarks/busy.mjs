// npm run bench -- busy: how much longer steps take beside other work, splitgrow's and PyTorch's, each against itself alone.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  answersOf,
  findPyTorch,
  HERE,
  machine,
  machineLine,
  markdown,
  mean,
  median,
  numberColumn,
  say,
  targetsTable,
  writeResult,
} from './common.mjs';
import { prepare } from './networks.mjs';

const NETWORKS = {
  small: {
    title: 'CIFAR-10 seed of 3 blocks',
    preset: ['mobilenet_cifar10', { blocks: 3, activation: 'silu' }],
    batch: 64,
  },
  'cifar100-x1': {
    title: 'CIFAR-100 seed, width 1',
    preset: ['mobilenet_cifar100', { activation: 'silu' }],
    batch: 64,
  },
};

/** Other work: processes that use a core each for ever; `nice` is their priority, 0 the usual one. */
export const NEIGHBOURS = [
  { name: 'alone', perCore: 0, nice: 0 },
  { name: 'one process of lower priority', processes: 1, nice: 10 },
  { name: 'one process', processes: 1, nice: 0 },
  { name: 'a process of lower priority on each core', perCore: 1, nice: 10 },
  { name: 'a process on each core', perCore: 1, nice: 0 },
];
const [ALONE] = NEIGHBOURS;
/** With one busy process on each core a step takes at most this many times its time alone. */
const LIMIT = 3;
const STEPS = ['train', 'rayleigh'];
const LAYOUT = 'channels_last';

const OPTIONS = {
  network: { type: 'string', multiple: true },
  rounds: { type: 'string', default: '5' },
  repeats: { type: 'string', default: '20' },
  threads: { type: 'string', default: String(availableParallelism()) },
  date: { type: 'string' },
  'no-file': { type: 'boolean', default: false },
};

/** Uses a core until its parent is gone. */
const SPIN =
  'const p = process.ppid; for (;;) { for (let i = 0; i < 1e8; i += 1); if (process.ppid !== p) process.exit(); }';

/** Does `work` beside the neighbour's processes. */
export async function beside({ processes, perCore = 0, nice }, work) {
  const count = processes ?? perCore * availableParallelism();
  const spin = ['-n', String(nice), process.execPath, '-e', SPIN];
  const busy = Array.from({ length: count }, () => spawn('nice', spin, { stdio: 'ignore' }));
  try {
    return await work();
  } finally {
    for (const one of busy) one.kill('SIGKILL');
  }
}

async function measure(network, { rounds, repeats, threads, python }) {
  const folder = await mkdtemp(join(tmpdir(), 'splitgrow-bench-'));
  try {
    await prepare(join(folder, 'net'), network);
    const common = { device: 'cpu', threads, batch: network.batch };
    const runs = NEIGHBOURS.map(() => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [i, neighbour] of NEIGHBOURS.entries()) {
        const { 0: load } = loadavg();
        say(`${network.title}, ${neighbour.name}: round ${round + 1} of ${rounds} (load ${load.toFixed(1)})`);
        runs[i].push(
          await beside(neighbour, async () => {
            const timesOf = (command, script, options, steps) =>
              answersOf(
                command,
                [join(HERE, script), join(folder, 'net'), JSON.stringify({ ...common, ...options })],
                [{ what: 'steps', steps, repeats, warmup: 3 }],
              );
            const ours = await timesOf(process.execPath, 'measure.mjs', {}, STEPS);
            const theirs =
              python && (await timesOf(python, 'pytorch/measure.py', { layout: LAYOUT }, ['train']));
            return { ours, theirs };
          }),
        );
      }
    }
    return { runs, versions: runs[0][0].ours };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of every neighbour: the median over the processes of the mean step, for one that waits long now and then is slow too. */
function rowsOf(runs) {
  const timeOf = (list, who, step) => {
    const found = list.flatMap((run) => (run[who] ? [mean(run[who].steps[step].milliseconds)] : []));
    return found.length === 0 ? null : median(found);
  };
  const times = runs.map((list) => ({
    train: timeOf(list, 'ours', 'train'),
    rayleigh: timeOf(list, 'ours', 'rayleigh'),
    pytorchTrain: timeOf(list, 'theirs', 'train'),
  }));
  const over = (row, key) => (row[key] === null ? null : row[key] / times[0][key]);
  return NEIGHBOURS.map(({ name }, i) => ({
    neighbour: name,
    meanMs: times[i],
    timesAlone: Object.fromEntries(Object.keys(times[i]).map((key) => [key, over(times[i], key)])),
  }));
}

function markdownOf({ networks, settings, pytorch, machine: about, targets }) {
  const columns = [
    { title: 'beside', cell: ({ neighbour }) => neighbour },
    numberColumn('training step, ms', ({ meanMs }) => meanMs.train, 1),
    numberColumn('times alone', ({ timesAlone }) => timesAlone.train, 2),
    numberColumn('Rayleigh step, ms', ({ meanMs }) => meanMs.rayleigh, 1),
    numberColumn('times alone', ({ timesAlone }) => timesAlone.rayleigh, 2),
    numberColumn('PyTorch’s training step, ms', ({ meanMs }) => meanMs.pytorchTrain, 1),
    numberColumn('times alone', ({ timesAlone }) => timesAlone.pytorchTrain, 2),
  ];
  const { rounds, repeats, threads } = settings;
  const versions = pytorch.version
    ? `PyTorch ${pytorch.version}`
    : `PyTorch was not measured: ${pytorch.reason}`;
  return [
    '# Beside other work',
    `Written by \`npm run bench -- busy\`. Steps of ${threads} threads on both sides; the mean over ${repeats} steps, then the median over ${rounds} processes. ${versions}.`,
    machineLine(about),
    ...networks.flatMap(({ title, batch, rows }) => [`## ${title}, batch ${batch}`, markdown(columns, rows)]),
    targetsTable(targets),
  ].join('\n\n');
}

function targetsOf({ title, rows }) {
  const worst = rows.at(-1);
  return [
    ['train', 'training step'],
    ['rayleigh', 'Rayleigh step'],
  ].map(([key, what]) => ({
    what: `${what} beside ${worst.neighbour}, over its time ${ALONE.name}`,
    where: title,
    limit: LIMIT,
    found: worst.timesAlone[key],
    unit: 'x',
  }));
}

/** Measures, and writes results/busy.json and busy.md. */
export async function busy(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const names = values.network ?? Object.keys(NETWORKS);
  const unknown = names.find((name) => !Object.hasOwn(NETWORKS, name));
  if (unknown !== undefined)
    throw new Error(`--network ${unknown}: expected one of ${Object.keys(NETWORKS).join(', ')}`);
  const [rounds, repeats, threads] = ['rounds', 'repeats', 'threads'].map((name) => Number(values[name]));
  const settings = { rounds, repeats, threads };
  const { python, ...pytorch } = await findPyTorch();
  if (python === null) say(`PyTorch is left out: ${pytorch.reason}`);
  const measured = [];
  for (const name of names)
    measured.push({ ...NETWORKS[name], name, ...(await measure(NETWORKS[name], { ...settings, python })) });
  const [{ libtorch, cpuCapability }] = measured.map(({ versions }) => versions);
  const networks = measured.map(({ name, title, batch, runs }) => ({
    name,
    title,
    batch,
    rows: rowsOf(runs),
  }));
  const document = {
    format: 'splitgrow-bench-busy/1',
    machine: machine({ libtorch, cpuCapability, ...(values.date && { date: values.date }) }),
    settings,
    pytorch,
    networks,
    targets: networks.flatMap(targetsOf),
  };
  const text = `${markdownOf(document)}\n`;
  if (!values['no-file']) say(`written: ${await writeResult('busy', document, text)}`);
  return text;
}
