// npm run bench -- engine: training and splitting on a CPU beside PyTorch at its best, ours and PyTorch's in turns; the targets of engine-targets.mjs.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { StepError } from '../scripts/steps.mjs';
import { findPyTorch, HERE, machine, runJson, say, verdict, writeResult } from './common.mjs';
import { memoryOf, timesOf } from './engine-rounds.mjs';
import { engineMarkdown } from './engine-table.mjs';
import { summaryOf, targetsOf } from './engine-targets.mjs';
import { wholesOf } from './engine-wholes.mjs';
import { prepare } from './networks.mjs';

/** `isSplit`: the splitting steps, single images and busy neighbours are measured too. */
const NETWORKS = {
  seed: {
    title: 'CIFAR seed',
    preset: ['mobilenet_cifar100', { activation: 'silu' }],
    batch: 64,
    isSplit: true,
  },
  x4: {
    title: 'CIFAR seed, 4 times as wide',
    preset: ['mobilenet_cifar100', { activation: 'silu', width: 4 }],
    batch: 64,
    isSplit: true,
  },
  v1: {
    title: 'MobileNetV1 0.3x at 96',
    preset: ['mobilenet_v1', { activation: 'silu', width: 0.3, resolution: 96 }],
    batch: 64,
  },
  v2: {
    title: 'MobileNetV2 0.35x at 96',
    preset: ['mobilenet_v2', { width: 0.35, resolution: 96 }],
    batch: 64,
  },
  resnet: {
    title: 'ResNet-18 at 32, width 16',
    preset: ['resnet18', { width: 0.25, stem: 'small', resolution: 32, classes: 10 }],
    batch: 64,
  },
};

const ENGINE = 'splitgrow';
/** Ours: by the engine, and by ATen alone. */
const OURS = {
  [ENGINE]: { env: { SPLITGROW_ENGINE: undefined } },
  'splitgrow, ATen': { env: { SPLITGROW_ENGINE: '0' } },
};
/** Without it, torch.compile takes no vector instructions where it cannot try them out. */
const VECTORS = { TORCHINDUCTOR_VEC_ISA_OK: '1' };
const PYTORCH = {
  'PyTorch eager, contiguous': { layout: 'contiguous' },
  'PyTorch eager, channels_last': { layout: 'channels_last' },
  'PyTorch compile, channels_last': { layout: 'channels_last', compile: true },
};

/** Rounds, timed steps a round, and what is measured; quick leaves torch.compile out, which takes minutes to compile. */
const SIZES = {
  full: {
    ...{ rounds: 5, repeats: 20, networks: Object.keys(NETWORKS), epochs: 3, hasWholes: true },
    ...{ memorySteps: 3, memoryRuns: 3, hasCompiler: true },
  },
  quick: {
    ...{ rounds: 2, repeats: 6, networks: ['seed'], epochs: 1, hasWholes: false },
    ...{ memorySteps: 3, memoryRuns: 1, hasCompiler: false },
  },
};
const PHASE = { batch: 64, epochImages: 8192, images: 2048 };

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  network: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  data: { type: 'string' },
  wholes: { type: 'boolean' },
  date: { type: 'string' },
  'no-file': { type: 'boolean', default: false },
  'no-compile': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};
const USAGE = `npm run bench -- engine [options]
  --quick          one network, few rounds, without torch.compile, in about a minute; writes no result file
  --network NAME   ${Object.keys(NETWORKS).join(', ')}; may be given again (default: all, seed where quick)
  --rounds N       of ours and PyTorch's in turns (default ${SIZES.full.rounds}, ${SIZES.quick.rounds} where quick)
  --data DIR       the folder of CIFAR-10's binary files (default: where \`splitgrow data get\` puts it)
  --wholes         the demo and an epoch over CIFAR-10 too where quick
  --date TEXT      a date for the result file (default: none)
  --no-file        writes no result file
  --no-compile     leaves torch.compile out, which takes minutes to compile for each network and number of threads
`;

/** All programs, PyTorch's where there is one, as workers are started. */
function programsOf(python) {
  return [
    ...Object.entries(OURS).map(([name, { env }]) => ({
      ...{ name, env, command: process.execPath, script: 'measure.mjs', isPyTorch: false },
    })),
    ...Object.entries(PYTORCH).map(([name, options]) => ({
      ...{ name, ...options, env: VECTORS, command: python, script: 'pytorch/measure.py', isPyTorch: true },
    })),
  ];
}

async function measure(name, { programs, size, threads, root }) {
  const network = NETWORKS[name];
  const folder = await mkdtemp(join(tmpdir(), 'splitgrow-bench-'));
  try {
    await prepare(join(folder, 'net'), network);
    const found = [];
    for (const count of threads)
      found.push({ count, ...(await timesOf(network, count, { folder, programs, size })) });
    const memory = [];
    // What torch.compile holds is its compiler.
    for (const program of programs.filter(({ compile }) => !compile)) {
      say(`${network.title}: memory of ${program.name}`);
      memory.push(await memoryOf(program, network, { folder, threads: threads.at(-1), size }));
    }
    const phases = [];
    for (const program of network.isSplit ? programs.filter(({ isPyTorch }) => !isPyTorch) : []) {
      say(`${network.title}: splitting phase of ${program.name}`);
      const options = {
        ...PHASE,
        threads: 1,
        epochs: size.epochs,
        // ATen alone takes minutes for the passes of lobpcg.
        methods: program.name === ENGINE ? ['exact', 'lobpcg', 'auto'] : ['exact'],
        root,
      };
      const parameters = [join(HERE, 'measure-phase.mjs'), join(folder, 'net'), JSON.stringify(options)];
      phases.push({ program: program.name, ...(await runJson(process.execPath, parameters, program)) });
    }
    const at = (row) => ({ network: name, ...row });
    return {
      network: { name, title: network.title, batch: network.batch, ...found[0].facts },
      hello: found[0].hello,
      leftOut: found.flatMap(({ leftOut }) => leftOut).map(at),
      times: found.flatMap(({ count, rows }) => rows.map((row) => ({ threads: count, ...at(row) }))),
      memory: memory.map(at),
      phases: phases.map(at),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Vector instructions of the processor that matter here, as Linux names them. */
function instructionsOf() {
  const flags = /^flags\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  return flags.filter((flag) => /^(avx2|fma|avx512(f|bw|vl|_bf16|_fp16)|amx_.*)$/.test(flag));
}

/** A row of the file: every round's centre, not every step's time. */
const summed = ({ rounds, ...row }) => ({
  ...{ ...row, ...summaryOf(rounds) },
  rounds: rounds.map(({ milliseconds: _, ...round }) => round),
});

function sizeOf({ quick, network, rounds, wholes, 'no-compile': noCompile }) {
  const size = quick ? SIZES.quick : SIZES.full;
  const unknown = network?.find((name) => !Object.hasOwn(NETWORKS, name));
  if (unknown !== undefined)
    throw new StepError(`--network: expected one of ${Object.keys(NETWORKS).join(', ')}, got "${unknown}"`);
  if (rounds !== undefined && !/^[1-9]\d*$/.test(rounds))
    throw new StepError(`--rounds: expected a whole number of 1 or more, got "${rounds}"`);
  return {
    ...size,
    ...(network && { networks: network }),
    ...(rounds && { rounds: Number(rounds) }),
    hasWholes: wholes ?? size.hasWholes,
    hasCompiler: size.hasCompiler && !noCompile,
  };
}

/** Measures, and writes results/engine.json and engine.md. */
export async function engine(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.help) return USAGE;
  const size = sizeOf(values);
  const { python, ...pytorch } = await findPyTorch();
  if (python === null) throw new StepError(`nothing to compare with: ${pytorch.reason}`);
  const threads = [1, 2].filter((count) => count <= availableParallelism());
  const programs = programsOf(python).filter(({ compile }) => size.hasCompiler || !compile);
  const loadBefore = loadavg();
  const wholes = size.hasWholes ? await wholesOf(OURS, { root: values.data }) : {};
  const measured = [];
  for (const name of size.networks)
    measured.push(await measure(name, { programs, size, threads, root: values.data }));
  const [{ libtorch, cpuCapability }] = measured.map(({ hello }) => hello);
  const all = (key) => measured.flatMap((one) => one[key]);
  const found = {
    networks: measured.map(({ network }) => network),
    ...{ times: all('times'), memory: all('memory'), phases: all('phases'), wholes },
  };
  const targets = Object.keys(OURS).flatMap((program) =>
    targetsOf(found, program).map((target) => ({ program, ...target, isMet: verdict(target) })),
  );
  const document = {
    format: 'splitgrow-bench-engine/1',
    machine: machine({ libtorch, cpuCapability, ...(values.date && { date: values.date }) }),
    instructions: instructionsOf(),
    load: { before: loadBefore, after: loadavg() },
    settings: { ...size, threads, isQuick: values.quick },
    ...{ pytorch, leftOut: all('leftOut'), targets, ...found },
    times: found.times.map(summed),
  };
  const text = `${engineMarkdown(document)}\n`;
  if (!values['no-file'] && !values.quick) say(`written: ${await writeResult('engine', document, text)}`);
  return text;
}
