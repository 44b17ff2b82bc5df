// Steps of training and splitting beside PyTorch's, in turns: node benchmarks/steps.mjs [--help]
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { main, StepError } from '../scripts/steps.mjs';
import { answersOf, findPyTorch, HERE, machine, median, say, verdict, writeResult } from './common.mjs';
import { checkLogits, prepare } from './networks.mjs';
import { stepsMarkdown } from './steps-table.mjs';

/** The networks timed; `limits` are the targets in training steps, where there are any. */
const NETWORKS = {
  'cifar100-x1': {
    title: 'CIFAR seed, width 1',
    preset: ['mobilenet_cifar100', { activation: 'silu' }],
    batch: 64,
    limits: { train: 1, rayleigh: 1.25, exact: 2, memory: 1.2 },
  },
  'cifar100-x2': {
    title: 'CIFAR seed, width 2',
    preset: ['mobilenet_cifar100', { activation: 'silu', width: 2 }],
    batch: 64,
    limits: { rayleigh: 1.25, memory: 1.2 },
  },
  'cifar100-x4': {
    title: 'CIFAR seed, width 4',
    preset: ['mobilenet_cifar100', { activation: 'silu', width: 4 }],
    batch: 64,
    limits: { train: 1, rayleigh: 1.25, exact: 3.6, memory: 1.2 },
  },
  'v1-0.3': {
    title: 'MobileNetV1 0.3x at 224',
    preset: ['mobilenet_v1', { activation: 'silu', width: 0.3 }],
    batch: 8,
    limits: {},
  },
};
const DEFAULT_NETWORKS = ['cifar100-x1', 'cifar100-x2', 'cifar100-x4'];
const STEPS = ['train', 'forward', 'rayleigh', 'auxiliary', 'exact', 'eigen'];
const LAYOUTS = ['contiguous', 'channels_last'];

const USAGE = `node benchmarks/steps.mjs [options]
  --network NAME   ${Object.keys(NETWORKS).join(', ')}; may be given again (default: the first three)
  --rounds N       processes of each kind, in turns (default 5)
  --repeats N      timed steps a turn; three turns a process (default 10)
  --threads T      CPU threads of both (default: one a core)
  --device D       cpu or cuda (default cpu)
  --date TEXT      a date for the result file (default: none)
  --no-file        writes no result file
`;

/** Of processes: the median of their medians, the least time of all, the most memory. */
function summary(processes, step) {
  const found = processes.flatMap((process) => process.steps[step] ?? []);
  if (found.length === 0) return null;
  const peaks = found.map(({ peakBytes }) => peakBytes).filter((bytes) => bytes > 0);
  return {
    medianMs: median(found.map(({ milliseconds }) => median(milliseconds))),
    minMs: Math.min(...found.flatMap(({ milliseconds }) => milliseconds)),
    peakBytes: peaks.length === 0 ? null : Math.max(...peaks),
    processes: found.length,
  };
}

async function measure(name, { rounds, repeats, threads, device, pytorch }) {
  const network = NETWORKS[name];
  const folder = await mkdtemp(join(tmpdir(), 'splitgrow-bench-'));
  try {
    const count = await prepare(join(folder, 'net'), network);
    const common = { device, threads, batch: network.batch };
    const timesOf = (command, script, options, request) =>
      answersOf(
        command,
        [join(HERE, script), join(folder, 'net'), JSON.stringify({ ...common, ...options })],
        [{ what: 'logits' }, { what: 'steps', repeats, warmup: 5, turns: 3, ...request }],
      );
    const ours = [];
    const theirs = Object.fromEntries(LAYOUTS.map((layout) => [layout, []]));
    for (let round = 0; round < rounds; round += 1) {
      say(`${network.title}: round ${round + 1} of ${rounds}`);
      ours.push(await timesOf(process.execPath, 'measure.mjs', {}, { steps: STEPS }));
      if (pytorch.python === null) continue;
      // Neither layout always comes first.
      for (const layout of round % 2 === 0 ? LAYOUTS : [...LAYOUTS].reverse()) {
        const request = { steps: ['forward', 'train'], peak: true };
        theirs[layout].push(await timesOf(pytorch.python, 'pytorch/measure.py', { layout }, request));
      }
    }
    return resultOf(name, { network, count, ours, theirs, device });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function resultOf(name, { network, count, ours, theirs, device }) {
  const splitgrow = Object.fromEntries(STEPS.map((step) => [step, summary(ours, step)]));
  const pytorch = Object.fromEntries(
    LAYOUTS.filter((layout) => theirs[layout].length > 0).map((layout) => [
      layout,
      { train: summary(theirs[layout], 'train'), forward: summary(theirs[layout], 'forward') },
    ]),
  );
  const logits = [ours[0], ...LAYOUTS.flatMap((layout) => theirs[layout])].map((found) => found.logits);
  return {
    name,
    title: network.title,
    macs: count,
    batch: network.batch,
    logitDifference: checkLogits(name, logits, device),
    splitgrow,
    pytorch,
    ratios: ratiosOf(splitgrow, pytorch),
    versions: { libtorch: ours[0].libtorch, cpuCapability: ours[0].cpuCapability },
  };
}

/** Times of ours over those of PyTorch's faster layout, and of every step over our training step. */
function ratiosOf(splitgrow, pytorch) {
  const best = (step, key) => Math.min(...Object.values(pytorch).map((layout) => layout[step][key]));
  const isThere = Object.keys(pytorch).length > 0;
  const against = (step, key) => (isThere ? splitgrow[step][key] / best(step, key) : null);
  const inSteps = (step, key) => splitgrow[step][key] / splitgrow.train[key];
  return {
    trainToPyTorch: { median: against('train', 'medianMs'), min: against('train', 'minMs') },
    forwardToPyTorch: { median: against('forward', 'medianMs'), min: against('forward', 'minMs') },
    inTrainingSteps: Object.fromEntries(
      STEPS.map((step) => [step, { median: inSteps(step, 'medianMs'), min: inSteps(step, 'minMs') }]),
    ),
    inPyTorchTrainingSteps: Object.fromEntries(
      STEPS.map((step) => [step, isThere ? splitgrow[step].medianMs / best('train', 'medianMs') : null]),
    ),
    rayleighMemory: splitgrow.rayleigh.peakBytes / splitgrow.train.peakBytes,
  };
}

function targetsOf({ name, title, ratios }) {
  const { limits } = NETWORKS[name];
  const rows = [
    ['train', 'training step over PyTorch’s in its faster layout', ratios.trainToPyTorch.median],
    ['rayleigh', 'Rayleigh step over a training step', ratios.inTrainingSteps.rayleigh.median],
    ['exact', 'exact splitting matrices over a training step', ratios.inTrainingSteps.exact.median],
    ['memory', 'peak memory of a Rayleigh step over that of a training step', ratios.rayleighMemory],
  ];
  return rows
    .filter(([key]) => limits[key] !== undefined)
    .map(([key, what, found]) => ({ what, where: title, limit: limits[key], found, unit: 'x' }));
}

/** Runs the benchmark; resolves to its document, which is also written to results/steps.json. */
export async function steps(options = {}) {
  const {
    rounds = 5,
    repeats = 10,
    threads = availableParallelism(),
    device = 'cpu',
    date,
    isKept = true,
  } = options;
  const names = options.networks ?? DEFAULT_NETWORKS;
  const pytorch = await findPyTorch();
  if (pytorch.python === null) say(`PyTorch is left out: ${pytorch.reason}`);
  const networks = [];
  for (const name of names) networks.push(await measure(name, { rounds, repeats, threads, device, pytorch }));
  const document = {
    format: 'splitgrow-bench-steps/1',
    machine: machine({ ...networks[0]?.versions, ...(date && { date }) }),
    settings: { rounds, repeats, threads, device },
    pytorch:
      pytorch.python === null
        ? { python: null, reason: pytorch.reason }
        : { python: 'found', version: pytorch.version },
    targets: networks.flatMap(targetsOf).map((target) => ({ ...target, isMet: verdict(target) })),
    networks: networks.map(({ versions: _, ...network }) => network),
  };
  if (isKept) say(`written: ${await writeResult(device === 'cpu' ? 'steps' : `steps-${device}`, document)}`);
  return document;
}

export const STEPS_OPTIONS = {
  network: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  repeats: { type: 'string' },
  threads: { type: 'string' },
  device: { type: 'string' },
  date: { type: 'string' },
  'no-file': { type: 'boolean' },
  help: { type: 'boolean' },
};

/** Options of the command line as `steps` takes them. @throws where they are wrong */
export function stepsOptions({
  network,
  rounds,
  repeats,
  threads,
  device = 'cpu',
  date,
  'no-file': noFile = false,
}) {
  const whole = (name, text) => {
    if (text === undefined) return {};
    if (!/^[1-9]\d*$/.test(text))
      throw new StepError(`--${name}: expected a whole number of 1 or more, got "${text}"`);
    return { [name]: Number(text) };
  };
  const unknown = network?.find((name) => !Object.hasOwn(NETWORKS, name));
  if (unknown !== undefined)
    throw new StepError(`--network: expected one of ${Object.keys(NETWORKS).join(', ')}, got "${unknown}"`);
  if (device !== 'cpu' && device !== 'cuda')
    throw new StepError(`--device: expected cpu or cuda, got "${device}"`);
  const counts = { ...whole('rounds', rounds), ...whole('repeats', repeats), ...whole('threads', threads) };
  return { ...counts, device, date, isKept: !noFile, ...(network && { networks: network }) };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const { values } = parseArgs({ options: STEPS_OPTIONS });
    process.stdout.write(values.help ? USAGE : `${stepsMarkdown(await steps(stepsOptions(values)))}\n`);
  });
}
