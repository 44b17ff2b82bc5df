// npm run bench -- loader: images a second of the loader, beside torchvision reading the same folder with as many workers.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  findPyTorch,
  fixed,
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
import { makePhotographs } from './loader-images.mjs';

const MAIN = join(HERE, '..', 'dist', 'cli', 'main.js');
const PHOTOGRAPHS = { different: 48, copies: 16 };
const TARGETS = { timesPerCore: 1.5, imagesPerCore: 600 };
const PASSES = ['train', 'evaluation'];

const OPTIONS = {
  folder: { type: 'string' },
  workers: { type: 'string', default: String(availableParallelism()) },
  rounds: { type: 'string', default: '3' },
  images: { type: 'string', default: '768' },
  resolution: { type: 'string', default: '224' },
  date: { type: 'string' },
  'no-file': { type: 'boolean', default: false },
};

/** The medians over the rounds of what a program told. */
function summarised(rounds) {
  const numbers = ['imagesPerSecond', 'imagesPerCoreSecond'];
  const of = (pass) =>
    Object.fromEntries(numbers.map((name) => [name, median(rounds.map((round) => round[pass][name]))]));
  return Object.fromEntries(PASSES.map((pass) => [pass, of(pass)]));
}

/** What torchvision told, or why it told nothing. */
async function besides(python, folder, asked) {
  try {
    return {
      told: await runJson(python, [join(HERE, 'pytorch', 'loader.py'), join(folder, 'train'), asked]),
    };
  } catch (error) {
    return { reason: error.message.trim().split('\n').at(-1) };
  }
}

async function measure(folder, options) {
  const { workers, rounds, images, resolution } = options;
  const { python, ...found } = await findPyTorch();
  let { reason } = found;
  const asked = JSON.stringify({ workers, images, resolution, batch: 64 });
  const words = ['--workers', workers, '--images', images, '--resolution', resolution].map(String);
  const bench = [MAIN, 'data', 'bench', folder, ...words, '--json'];
  const [own, whole, theirs] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    say(`round ${round + 1} of ${rounds}`);
    own.push(await runJson(process.execPath, bench));
    whole.push(await runJson(process.execPath, [...bench, '--whole-decoding']));
    if (reason !== undefined) continue;
    const beside = await besides(python, folder, asked);
    if (beside.told) theirs.push(beside.told);
    else reason = beside.reason;
  }
  const { torch, torchvision, pillow } = theirs[0] ?? {};
  return {
    splitgrow: summarised(own),
    wholeDecoding: summarised(whole),
    torchvision: theirs.length > 0 ? { ...summarised(theirs), torch, torchvision, pillow } : null,
    ...(reason === undefined ? {} : { reason }),
    rounds: { splitgrow: own, wholeDecoding: whole, torchvision: theirs },
  };
}

const NAMES = { train: 'training: random resized crop, mirroring', evaluation: 'evaluation: centre crop' };

function verdictOf(found, least) {
  if (found === undefined || !Number.isFinite(found)) return 'not measured';
  return found >= least ? 'met' : '**not met**';
}

function loaderMarkdown(result) {
  const { splitgrow, wholeDecoding, torchvision, options, about } = result;
  const rowsOf = (measured, how) =>
    PASSES.map((pass) => {
      const [own, theirs] = [measured[pass], torchvision?.[pass]];
      const times = theirs && own.imagesPerCoreSecond / theirs.imagesPerCoreSecond;
      return { name: `${NAMES[pass]}${how}`, own, theirs, times };
    });
  const rows = [...rowsOf(splitgrow, ''), ...rowsOf(wholeDecoding, '; `data.scaledDecoding` false')];
  const columns = [
    { title: 'as in', cell: ({ name }) => name },
    numberColumn('splitgrow, images/s', ({ own }) => own.imagesPerSecond),
    numberColumn('torchvision, images/s', ({ theirs }) => theirs?.imagesPerSecond),
    numberColumn('splitgrow, a core', ({ own }) => own.imagesPerCoreSecond),
    numberColumn('torchvision, a core', ({ theirs }) => theirs?.imagesPerCoreSecond),
    numberColumn('times, a core', ({ times }) => times, 2),
  ];
  const [{ own, times }] = rows;
  const versions = torchvision
    ? `torchvision ${torchvision.torchvision}, PyTorch ${torchvision.torch}, Pillow ${torchvision.pillow}`
    : `torchvision was not measured: ${result.reason}`;
  return [
    '# Loader',
    `Written by \`npm run bench -- loader\`. ${options.images} images of ${about.images}, ${options.workers} workers on both sides, crops of ${options.resolution}, medians of ${options.rounds} rounds. "A core" is images over processor time of the whole program, so it holds on a busy machine too. ${versions}.`,
    machineLine(about),
    markdown(columns, rows),
    markdown(
      [
        { title: 'target', cell: ([what]) => what },
        { title: 'at least', cell: ([, least]) => String(least), isNumber: true },
        { title: 'found', cell: ([, , found]) => fixed(found, found < 10 ? 2 : 0), isNumber: true },
        { title: '', cell: ([, least, found]) => verdictOf(found, least) },
      ],
      [
        ["torchvision's images/s a core, as in training", TARGETS.timesPerCore, times],
        ['images/s a core, as in training', TARGETS.imagesPerCore, own.imagesPerCoreSecond],
      ],
    ),
  ].join('\n\n');
}

/** Makes the folder unless one is given, measures, and writes results/loader.json and loader.md. */
export async function loader(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const [workers, rounds, images, resolution] = ['workers', 'rounds', 'images', 'resolution'].map((name) =>
    Number(values[name]),
  );
  const options = { workers, rounds, images, resolution };
  if (values.folder !== undefined && !existsSync(join(values.folder, 'train')))
    throw new Error(`--folder ${values.folder}: expected a folder with class folders in train/`);
  const temporary = values.folder === undefined ? await mkdtemp(join(tmpdir(), 'splitgrow-loader-')) : null;
  try {
    let words = 'a folder that was given';
    if (temporary !== null) {
      say('drawing photographs');
      const bytes = await makePhotographs(temporary, PHOTOGRAPHS);
      words = `500 x 375 pixels, ${Math.round(bytes / 1024)} KiB (drawn: noise with the spectrum of photographs)`;
    }
    const measured = await measure(values.folder ?? temporary, options);
    const { loadCore } = await import('../dist/native/load.js');
    const { libtorch, cpuCapability } = loadCore().features();
    const about = { ...machine({ libtorch, cpuCapability }), images: words };
    const result = { ...measured, options, about: values.date ? { ...about, date: values.date } : about };
    const text = `${loaderMarkdown(result)}\n`;
    if (!values['no-file']) say(`written: ${await writeResult('loader', result, text)}`);
    return text;
  } finally {
    if (temporary !== null) await rm(temporary, { recursive: true, force: true });
  }
}
