// npm run bench -- phase: whole computations of splitting indices beside an epoch of training, at several widths, before and after training.
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  HERE,
  machine,
  machineLine,
  markdown,
  median,
  numberColumn,
  runJson,
  say,
  writeResult,
} from './common.mjs';
import { prepare } from './networks.mjs';

const METHODS = ['exact', 'lobpcg', 'auto'];
const OPTIONS = {
  width: { type: 'string', multiple: true, default: ['1', '2', '4'] },
  epochs: { type: 'string', default: '2' },
  images: { type: 'string', default: '2048' },
  threads: { type: 'string', default: '1' },
  data: { type: 'string' },
  date: { type: 'string' },
  'no-file': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};
const USAGE = `npm run bench -- phase [options]
  --width W      of mobilenet_cifar100; may be given again (default 1, 2 and 4)
  --epochs E     epochs of training over 8,192 images (default 2)
  --images N     images of the indices (default 2048)
  --threads T    (default 1)
  --data DIR     the folder of CIFAR-10's binary files (default: where \`splitgrow data get\` puts it)
  --date TEXT    a date for the result file (default: none)
  --no-file      writes no result file
`;

const percent = (share) => (share === undefined ? null : 100 * share);
const COLUMNS = [
  numberColumn('width', ({ width }) => width),
  { title: 'network', cell: ({ state }) => state },
  { title: 'method', cell: ({ method }) => method },
  numberColumn('seconds', ({ seconds }) => seconds, 2),
  numberColumn('over an epoch', ({ seconds, epoch }) => seconds / epoch, 2),
  numberColumn('passes', ({ passes }) => passes || null),
  numberColumn('from exact, %', ({ error }) => percent(error), 3),
  numberColumn('worst neuron, %', ({ worst }) => percent(worst), 2),
];

async function measure(width, options) {
  const folder = await mkdtemp(join(tmpdir(), 'splitgrow-bench-'));
  try {
    await prepare(join(folder, 'net'), {
      preset: ['mobilenet_cifar100', { activation: 'silu', width }],
      batch: 64,
    });
    say(`width ${width} (load ${loadavg()[0].toFixed(1)})`);
    const parameters = [join(HERE, 'measure-phase.mjs'), join(folder, 'net'), JSON.stringify(options)];
    const { untrained, methods, epochSeconds, data } = await runJson(process.execPath, parameters);
    const epoch = median(epochSeconds);
    return Object.entries({ untrained, trained: methods }).flatMap(([state, found]) =>
      METHODS.map((method) => ({ width, data, state, method, epoch, ...found[method] })),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Measures, and writes results/phase.json and phase.md. */
export async function phase(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.help) return USAGE;
  const [epochs, images, threads] = [values.epochs, values.images, values.threads].map(Number);
  const options = {
    threads,
    batch: 64,
    epochs,
    epochImages: 8192,
    images,
    methods: METHODS,
    isUntrained: true,
  };
  const before = loadavg()[0];
  const rows = [];
  for (const width of values.width)
    rows.push(...(await measure(Number(width), { ...options, root: values.data })));
  const load = { before, after: loadavg()[0] };
  const about = machine({ ...(values.date && { date: values.date }) });
  const text = [
    '# Splitting phases',
    `Written by \`npm run bench -- phase\`: indices over ${images} images (${rows[0].data}), ${threads} thread${threads > 1 ? 's' : ''}, before and after ${epochs} epochs over 8,192 images. ` +
      'From exact: the sum of differences over the sum of exact indices, in the layer where that is largest. Worst neuron: over its exact index, or a hundredth of the layer\u2019s largest.',
    machineLine(about),
    `Load average before: ${load.before.toFixed(1)}; after: ${load.after.toFixed(1)}.`,
    markdown(COLUMNS, rows),
  ].join('\n\n');
  const document = { format: 'splitgrow-bench-phase/1', machine: about, load, settings: options, rows };
  if (!values['no-file']) say(`written: ${await writeResult('phase', document, `${text}\n`)}`);
  return `${text}\n`;
}
