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
  numberColumn('channels of the seed', ({ width }) => width),
  numberColumn('growth ratio', ({ ratio }) => ratio, 2),
  numberColumn('epochs a stage', ({ each }) => each),
  { title: 'strategy', cell: ({ strategy }) => strategy },
  { title: 'weights', cell: ({ isAgain }) => (isAgain ? 'from scratch' : 'grown') },
  { title: 'top-1 on validation, %', cell: ({ text }) => text },
  numberColumn('seeds', ({ seeds }) => seeds),
  numberColumn('compute, 10^12', ({ compute }) => compute, 3),
  numberColumn('parameters', ({ params }) => params),
];

/** What is kept of a row: of its recipe, what the rows differ in. */
function rowOf({ recipe: { to, width, ratio, each, strategy }, name: _, ...row }) {
  return { macs: to, width, ratio, each, strategy, ...row };
}

/** Trains all, and writes results/growth.json and growth.md. */
export async function growth(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.help) return USAGE;
  const [seeds, jobs] = [values.seeds, values.jobs].map(Number);
  if (![seeds, jobs].every((count) => Number.isInteger(count) && count >= 1))
    throw new Error(
      `--seeds and --jobs: expected whole numbers of at least 1, got ${values.seeds}, ${values.jobs}`,
    );
  const out = resolve(values.out);
  await mkdir(out, { recursive: true });
  const rows = [];
  const root = values.data && resolve(values.data);
  for (const { macs, compute } of TARGETS) {
    const options = { seeds, more: seeds, compute, macs, again: ['0.4'], out };
    const found = await tried(growthsOf(macs), { ...options, root, jobs });
    rows.push(...found.map(rowOf));
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
