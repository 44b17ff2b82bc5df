// npm run bench -- growth: seeds and steps of growth beside each other at two budgets, on validation images.
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, machineLine, markdown, numberColumn, say, writeResult } from './common.mjs';
import { growthsOf, TARGETS } from './growth-table.mjs';
import { tried } from './recipes.mjs';
import { COMMON } from './recipes-table.mjs';

const OPTIONS = {
  seeds: { type: 'string', default: '3' },
  jobs: { type: 'string', default: '1' },
  data: { type: 'string' },
  out: { type: 'string', default: 'runs/recipes' },
  date: { type: 'string' },
  help: { type: 'boolean', default: false },
};
const USAGE = `npm run bench -- growth [options]
  --seeds N   of every row that is not marked as tried once (default 3)
  --jobs N    runs side by side, a thread each (default 1)
  --data DIR  the folder of CIFAR-10's binary files (default: where \`splitgrow data get\` puts it)
  --out DIR   folder of the runs, that of \`recipes\`; what is done there is not done again (default runs/recipes)
  --date TEXT a date for the result file (default: none)
`;

const COLUMNS = [
  { title: 'most MACs', cell: ({ macs }) => macs.toLocaleString('en') },
  { title: 'seed and steps', cell: ({ source }) => source },
  { title: 'chosen by', cell: ({ name }) => chosenBy(name) },
  { title: 'top-1 on validation, %', cell: ({ text }) => text },
  numberColumn('seeds', ({ seeds }) => seeds),
  numberColumn('compute, 10^12', ({ compute }) => compute, 3),
  numberColumn('parameters', ({ params }) => params),
];

function chosenBy(name) {
  if (name.includes('from scratch')) return 'index and cost; from scratch';
  return ['cost only', 'random'].find((word) => name.includes(word)) ?? 'index and cost';
}

/** Trains all, and writes results/growth.json and growth.md. */
export async function growth(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.help) return USAGE;
  const seeds = Number(values.seeds);
  const out = resolve(values.out);
  await mkdir(out, { recursive: true });
  const rows = [];
  for (const [at, { macs, compute }] of TARGETS.entries()) {
    const options = { seeds, more: seeds, compute, macs, again: ['0.4'], out };
    const root = values.data && resolve(values.data);
    const growths = growthsOf(at);
    const sourceOf = (name) =>
      growths.find((one) => one.name === name || name.startsWith(`${one.name}:`))?.source;
    const found = await tried(growths, { ...options, root, jobs: Number(values.jobs) });
    rows.push(...found.map((row) => ({ ...row, macs, source: sourceOf(row.name) })));
  }
  const about = machine({ ...(values.date && { date: values.date }) });
  const text = [
    '# Seeds and steps of growth',
    `Written by \`npm run bench -- growth --seeds ${seeds}\`: MobileNet with k = 3, grown by the recipe \`growth\` on ` +
      `${COMMON.data.trainImages - COMMON.data.validation} images of CIFAR-10, held against ${COMMON.data.validation} others; mean ± standard error over seeds. ` +
      'Compute is that of growth, search included, or of training the architecture from scratch. Test images were not looked at.',
    machineLine(about),
    markdown(COLUMNS, rows),
  ].join('\n\n');
  const document = { format: 'splitgrow-bench-growth/1', machine: about, settings: { seeds }, rows };
  say(`written: ${await writeResult('growth', document, `${text}\n`)}`);
  return `${text}\n`;
}
