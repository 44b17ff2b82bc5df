// npm run bench -- recipes: recipes for growing beside each other and beside training from scratch, at one total compute, on validation images.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { macs as macsOf } from '../dist/graph/cost.js';
import { buildPreset } from '../dist/models/zoo.js';
import {
  HERE,
  machine,
  machineLine,
  markdown,
  mean,
  numberColumn,
  say,
  standardError,
  writeResult,
} from './common.mjs';
import { CHOICE_COLUMNS, choiceRows } from './recipes-choices.mjs';
import { COMMON, folderOf, LAST_MACS, RECIPES } from './recipes-table.mjs';

const OPTIONS = {
  seeds: { type: 'string', default: '3' },
  more: { type: 'string', default: '5' },
  compute: { type: 'string', default: '0.63' },
  jobs: { type: 'string', default: '1' },
  recipe: { type: 'string', multiple: true },
  again: { type: 'string', multiple: true, default: ['0.3', '0.6'] },
  data: { type: 'string' },
  out: { type: 'string', default: 'runs/recipes' },
  date: { type: 'string' },
  'no-file': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};
const USAGE = `npm run bench -- recipes [options]
  --seeds N      of every recipe (default 3)
  --more N       of the recipes that a choice or an answer hangs on (default 5)
  --compute T    10^12 multiply-adds of every run, search included (default 0.63)
  --jobs N       runs side by side, a thread each (default 1)
  --recipe NAME  this one alone; may be given again
  --again R      rates at which the architectures of "rate 0.3" and "cost only" are trained from scratch for the same compute; may be given again
  --data DIR     the folder of CIFAR-10's binary files (default: where \`splitgrow data get\` puts it)
  --out DIR      folder of the runs; what is done there is not done again (default runs/recipes)
  --date TEXT    a date for the result file (default: none)
  --no-file      writes no result file
`;

const TRAIN = COMMON.data.trainImages - COMMON.data.validation;

/** Multiply-adds of exact indices for an image and a MAC of the network: about what the records of these runs say. */
const SEARCH = 25;

/** MACs of the seed network, of the usual width or another. */
function seedMacs(width = COMMON.network.width) {
  const { preset, ...options } = COMMON.network;
  return macsOf(buildPreset(preset, { ...options, width }));
}

/** MACs that each stage may have, and the epochs of each that use up the compute: those of the recipe, and the rest in the last. */
export function scheduleOf({ ratio, epochs, decay, set, width }, compute, most = LAST_MACS) {
  const macs = [seedMacs(width)];
  while (macs.at(-1) * (1 + ratio) < most * 1.001) macs.push(Math.floor(macs.at(-1) * (1 + ratio)));
  if (macs.at(-1) < 0.97 * most) macs.push(most);
  const each = macs.slice(0, -1).map((_, stage) => epochs[Math.min(stage, epochs.length - 1)]);
  const images = set['splitting.images'] ?? COMMON.splitting.images;
  const spent = each.reduce(
    (sum, count, stage) => sum + (count * 3 * TRAIN + SEARCH * images) * macs[stage],
    0,
  );
  const last = Math.max(2, Math.round((compute - spent) / (3 * macs.at(-1) * TRAIN)));
  const falling = Math.max(1, Math.round(decay * last));
  return { stages: macs.length - 1, epochs: [...each, last - falling], finish: falling };
}

function put(json, [name, ...rest], value) {
  return { ...json, [name]: rest.length === 0 ? value : put(json[name] ?? {}, rest, value) };
}

function experimentOf(recipe, seed, { compute, macs, root, output }) {
  const { stages, epochs, finish } = scheduleOf(recipe, compute, macs);
  const fit = {
    ...COMMON.fit,
    epochs,
    schedule: { kind: 'constant' },
    finish: { epochs: finish, stages: 'last' },
  };
  const base = {
    ...COMMON,
    ...{ name: recipe.name, seed, output, fit },
    data: { ...COMMON.data, ...(root && { root }) },
    splitting: { ...COMMON.splitting, growthRatio: recipe.ratio },
    stop: { stages, macs },
  };
  return Object.entries(recipe.set).reduce((json, [path, value]) => put(json, path.split('.'), value), base);
}

/** Grows in a process of its own; resolves to its last stage's record, and to the record of what was trained again. */
async function grow(experiment) {
  const { output } = experiment;
  await mkdir(output, { recursive: true });
  const file = `${output}.json`;
  await writeFile(file, JSON.stringify(experiment));
  const child = spawn(
    process.execPath,
    [join(HERE, '..', 'dist', 'cli', 'main.js'), 'grow', file, '--json'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints = `${complaints}${text}`.slice(-2000);
  });
  const code = await new Promise((done) => child.on('close', done));
  if (code !== 0)
    throw new Error(`${experiment.name}, seed ${experiment.seed}: ${complaints.split('\n').at(-2)}`);
  return JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8'));
}

/** The validation accuracy of a summary's last stage, of its network trained again, and the compute of each. */
function numbersOf(summary) {
  const last = summary.stages.at(-1);
  const { validation } = JSON.parse(readFileSync(join(last.directory, 'stage.json'), 'utf8'));
  return {
    top1: validation.top1,
    macs: last.macs,
    params: last.params,
    compute: summary.compute.grown,
    ...(summary.best && {
      again: summary.best.validation.retrained,
      againCompute: summary.best.compute.retrained,
    }),
  };
}

/** All runs of the table: recipes by seeds, and the architectures of some of them trained again at each rate. */
function jobsOf(recipes, { seeds, more: most, compute, macs, again, out, root }) {
  const wide = (recipe, seed, name, more = {}) => ({
    ...{ name, seed, recipe, isAgain: more.deliver !== undefined },
    experiment: {
      ...experimentOf(recipe, seed, {
        compute: compute * 1e12,
        ...{ macs, root },
        output: join(
          out,
          `${folderOf(recipe.name)}-${compute}-${macs === LAST_MACS ? '' : `${macs}-`}${seed}`,
        ),
      }),
      ...more,
    },
  });
  const list = [];
  const seedsOf = ({ hasMore = false, isTried = false }) =>
    isTried ? 1 : hasMore ? Math.max(seeds, most) : seeds;
  for (let seed = 0; seed < Math.max(seeds, most); seed += 1) {
    for (const recipe of recipes.filter((one) => seed < seedsOf(one))) {
      list.push(wide(recipe, seed, recipe.name));
      for (const rate of recipe.isAgain ? again : [])
        list.push(
          wide(recipe, seed, `${recipe.name}: its architecture from scratch, rate ${rate}`, {
            deliver: { which: 'retrain', learningRate: Number(rate) },
          }),
        );
    }
  }
  return list;
}

/** Results by recipe, in the order of the table. Runs that share a folder come one after the other. */
async function runAll(jobs, count) {
  const queues = new Map();
  for (const job of jobs)
    queues.set(job.experiment.output, [...(queues.get(job.experiment.output) ?? []), job]);
  const waiting = [...queues.values()];
  const found = [];
  const work = async () => {
    for (let queue = waiting.shift(); queue !== undefined; queue = waiting.shift())
      for (const job of queue) {
        try {
          const numbers = numbersOf(await grow(job.experiment));
          const top1 = job.isAgain ? numbers.again : numbers.top1;
          const compute = job.isAgain ? numbers.againCompute : numbers.compute;
          found.push({ name: job.name, seed: job.seed, ...numbers, top1, compute });
          say(`${job.name}, seed ${job.seed}: ${top1.toFixed(2)} %, ${(compute / 1e12).toFixed(3)} T`);
        } catch (error) {
          say(`${job.name}, seed ${job.seed}: FAILED: ${error.message}`);
        }
      }
  };
  await Promise.all(Array.from({ length: count }, work));
  return found;
}

const COLUMNS = [
  { title: 'recipe', cell: ({ name }) => name },
  { title: 'source', cell: ({ source }) => source },
  { title: 'top-1 on validation, %', cell: ({ text }) => text },
  numberColumn('seeds', ({ seeds }) => seeds),
  numberColumn('compute, 10^12', ({ compute }) => compute, 3),
  numberColumn('parameters', ({ params }) => params),
];

/** In the order of the table, whatever order the runs ended in. */
function rowsOf(found, jobs) {
  const isFound = new Set(found.map(({ name }) => name));
  const byName = new Map(jobs.filter(({ name }) => isFound.has(name)).map((job) => [job.name, job]));
  return [...byName].map(([name, { recipe, isAgain }]) => {
    const own = found.filter((one) => one.name === name).toSorted((a, b) => a.seed - b.seed);
    const values = own.map(({ top1 }) => top1);
    const spread = values.length > 1 ? ` ± ${standardError(values).toFixed(2)}` : '';
    return {
      ...{ name, recipe, isAgain },
      text: `${mean(values).toFixed(2)}${spread}`,
      seeds: values.length,
      compute: mean(own.map(({ compute }) => compute)) / 1e12,
      params: Math.round(mean(own.map(({ params }) => params))),
      values: own.map(({ seed, top1 }) => ({ seed, top1 })),
    };
  });
}

/** Rows of these recipes, and of their architectures trained again: of each, the mean over seeds. */
export async function tried(recipes, options) {
  const jobs = jobsOf(recipes, options);
  return rowsOf(await runAll(jobs, options.jobs), jobs);
}

/** Trains all, and writes results/recipes.json and recipes.md. */
export async function recipes(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.help) return USAGE;
  const options = {
    ...{ seeds: Number(values.seeds), more: Number(values.more) },
    ...{ compute: Number(values.compute), macs: LAST_MACS, again: values.again },
    ...{ out: resolve(values.out), root: values.data && resolve(values.data) },
  };
  if (values.recipe?.some((name) => !RECIPES.some((one) => one.name === name)))
    throw new Error(`--recipe: expected one of ${RECIPES.map(({ name }) => name).join('; ')}`);
  if (!existsSync(options.out)) await mkdir(options.out, { recursive: true });
  const recipes = RECIPES.filter(({ name }) => values.recipe === undefined || values.recipe.includes(name));
  const found = await tried(recipes, { ...options, jobs: Number(values.jobs) });
  const rows = found.map(({ name, recipe, isAgain, ...row }) => ({
    ...{ name, source: isAgain ? '' : recipe.source },
    ...row,
  }));
  const choices = choiceRows(rows, options);
  const about = machine({ ...(values.date && { date: values.date }) });
  const text = [
    '# Recipes for growing',
    `Written by \`npm run bench -- recipes --seeds ${options.seeds} --more ${options.more} --compute ${options.compute}\`: MobileNet with k = 3, grown from ${seedMacs()} to at most ${options.macs} MACs on ${TRAIN} ` +
      `images of CIFAR-10, held against ${COMMON.data.validation} others; mean ± standard error over seeds. Every run takes the same multiply-adds, search included; ` +
      'test images were not looked at.',
    machineLine(about),
    markdown(COLUMNS, rows),
    'What the index adds to the cost, at rate 0.3:',
    markdown(CHOICE_COLUMNS, choices),
  ].join('\n\n');
  const { out: _, root: __, ...settings } = options;
  const document = { format: 'splitgrow-bench-recipes/1', machine: about, settings, rows, choices };
  if (!values['no-file'] && values.recipe === undefined)
    say(`written: ${await writeResult('recipes', document, `${text}\n`)}`);
  return `${text}\n`;
}
