// init: a commented experiment to start from, by what is known of the images and of the budget.
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type Listing, listImages } from '../data/images/layout.js';
import { IMAGE_DEFAULTS } from '../data/images/settings.js';
import { SplitgrowError } from '../errors.js';
import { macs, params } from '../graph/cost.js';
import { didYouMean, row } from '../graph/fields.js';
import type { Graph } from '../graph/ir.js';
import { writeFileAtomic } from '../machine/files/atomic.js';
import { buildPreset, ZOO } from '../models/zoo.js';
import { loadImageCore } from '../native/load.js';
import {
  DATA,
  EFFORTS,
  type Effort,
  type ImageFacts,
  type InitData,
  SEED_SHARE,
  SMALL,
  STARTS,
} from '../run/init/choices.js';
import { commented } from '../run/init/commented.js';
import { type Chosen, folderResolution, presetOptions, recipe } from '../run/init/recipe.js';
import { schemaReference } from '../run/init/schema-place.js';
import { experimentSchema } from '../run/spec/schema/experiment.js';
import { parseExperiment } from '../run/spec/spec.js';
import { integer } from '../statistics/format.js';

/** What the experiment is to be for. */
export interface InitOptions {
  /** The file to write; default: the name with `.jsonc`. */
  readonly file?: string | undefined;
  /** Default fashion-mnist. */
  readonly data?: InitData | undefined;
  /** Folder of the images; `image-folder` needs one. Where it is there, its images and classes are counted. */
  readonly root?: string | undefined;
  /** Links that lead out of the folder are followed; default: they are passed over. */
  readonly followLinks?: boolean | undefined;
  /** Pixels a side that the network sees, of images in files; default: what suits them. */
  readonly resolution?: number | undefined;
  /** Default: one that suits the data. */
  readonly preset?: string | undefined;
  /** Budgets that no network of the run passes: multiply-accumulates for one image, trained parameters. */
  readonly macs?: number | undefined;
  /** Likewise. */
  readonly params?: number | undefined;
  /** Default: quick for fashion-mnist, else full. */
  readonly effort?: Effort | undefined;
  /** Default: of the data, or of the folder. */
  readonly name?: string | undefined;
  /** Whether a file of that name is replaced; default false. */
  readonly force?: boolean | undefined;
}

/** What `init` prints. */
export interface InitDocument {
  /** The file written. */
  readonly file: string;
  /** Name of the experiment. */
  readonly name: string;
  /** What it learns. */
  readonly data: InitData;
  /** What it starts from. */
  readonly preset: string;
  /** How long it trains. */
  readonly effort: Effort;
  /** Of the network that growth begins with. */
  readonly macs: number;
  /** Likewise. */
  readonly params: number;
  /** What `"$schema"` says in the file. */
  readonly schema: string;
  /** Command lines to run now, in order. */
  readonly next: readonly string[];
  /** What was found and what is to be looked at. */
  readonly notes: readonly string[];
}

function chosenOf<T extends string>(name: string, given: T, table: Readonly<Record<T, unknown>>): T {
  const known = Object.keys(table);
  if (known.includes(given)) return given;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `${name}: expected one of ${known.join(', ')}, got "${given}"${didYouMean(given, known)}`,
  );
}

/** Letters that file names and shells take. */
function slug(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'experiment';
}

/** Images whose headers are read to know how large a folder's are. */
const SAMPLE = 500;

/** The median of the shorter sides of some images, spread over the folder; undefined where they cannot be read. */
async function medianSide({ root, train, test }: Listing): Promise<number | undefined> {
  const all = [...train.paths, ...test.paths];
  const step = Math.max(1, all.length / SAMPLE);
  const paths = Array.from(
    { length: Math.min(all.length, SAMPLE) },
    (_, i) => all[Math.floor(i * step)] ?? '',
  );
  try {
    const core = loadImageCore();
    const { maxPixels, maxScans } = IMAGE_DEFAULTS;
    const options = { maxPixels, maxScans, threads: core.features().threads, decode: false };
    const files = { root, paths, labels: new Int32Array(paths.length) };
    const { widths, heights } = await core.scanImages(files, options, null, null);
    const sides = widths.map((width, at) => Math.min(width, heights[at] ?? 0)).filter((side) => side > 0);
    return sides.sort()[Math.floor(sides.length / 2)];
  } catch {
    // Without LibTorch, or with images that cannot be read, the usual resolution is taken, and that is said.
    return undefined;
  }
}

/** What the images are: counted where a folder can be read, else as the set is published. */
async function factsOf(data: InitData, { root, followLinks, resolution: asked }: InitOptions) {
  const { facts, isFolder } = DATA[data];
  const notes: string[] = [];
  const given = asked === undefined ? {} : { resolution: asked };
  if (!isFolder || root === undefined) return { facts: { ...facts, ...given }, notes };
  const options = { testShare: IMAGE_DEFAULTS.testShare, followLinks };
  // The folder may be on another machine. If it is here and unusable, the experiment would refuse it too.
  const isThere = await stat(root).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  if (!isThere) {
    notes.push(
      `${root} is not there now, so its images are not counted; the numbers below suit a usual folder`,
    );
    return { facts: { ...facts, ...given }, notes };
  }
  const listing = await listImages(root, options);
  const [images, classes] = [listing.train.paths.length, listing.classes.length];
  notes.push(
    `${root}: ${integer(images)} images of ${integer(classes)} classes to train on (${listing.layout})`,
    ...listing.notes,
  );
  const shortSide = await medianSide(listing);
  const counted = { ...facts, images, classes, shortSide, ...given };
  if (asked !== undefined || data !== 'image-folder') return { facts: counted, notes };
  const resolution = folderResolution(images, shortSide);
  notes.push(
    shortSide === undefined
      ? `the size of its images could not be read: the network sees ${resolution} pixels a side; set data.resolution near theirs`
      : `the median shorter side of its images is ${integer(shortSide)} pixels: the network sees ${resolution}`,
  );
  return { facts: { ...counted, resolution }, notes };
}

function refuseStrange(preset: string): void {
  if (row(ZOO, preset) !== undefined) return;
  throw new SplitgrowError(
    'E_PRESET',
    `there is no preset "${preset}"${didYouMean(preset, Object.keys(ZOO))}`,
  );
}

/** @throws E_ARGUMENT for what only images in files have, with other data; and for a resolution that is none */
function refuseOfFiles(data: InitData, { resolution, followLinks }: InitOptions): void {
  const given = Object.entries({ resolution, followLinks }).find(
    ([, value]) => value !== undefined && value !== false,
  );
  if (given !== undefined && !DATA[data].isFolder) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `${given[0]}: expected only with imagenet or image-folder, got ${given[1]}; leave it out`,
    );
  }
  if (resolution === undefined) return;
  if (Number.isInteger(resolution) && resolution >= 1 && resolution <= 4096) return;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `resolution: expected a whole number from 1 to 4096, got ${resolution}`,
  );
}

/** Stages at a growth ratio of 0.5 from which on a budget is called far away. */
const MANY_STAGES = 12;

/** What is said of a budget that is far from the seed network. */
function farBudget(budget: number | undefined, has: number): readonly string[] {
  const stages = budget === undefined ? 0 : Math.ceil(Math.log(budget / has) / Math.log(1.5));
  if (stages <= MANY_STAGES) return [];
  return [
    `macs: ${integer(budget ?? 0)} is ${integer(Math.round((budget ?? 0) / has))} times what the seed network has, ${integer(has)}; growing by half a stage takes ${stages} stages and more, so take fewer, or a wider seed`,
  ];
}

/** What a run starts from, with its width; null where the preset has no widths to choose from. */
interface Seed {
  readonly width: number | null;
  readonly graph: Graph;
}

function seedOf(preset: string, width: number | null, facts: ImageFacts): Seed {
  const { channels, resolution, classes } = facts;
  const options = { ...presetOptions({ preset, width, facts }), channels, resolution, classes };
  return { width, graph: buildPreset(preset, options) };
}

/** The widest start that leaves the budgets room to grow; else the widest that fits; else the usual one, which is refused. */
function seedWithin(preset: string, facts: ImageFacts, budgets: Pick<InitOptions, 'macs' | 'params'>): Seed {
  const widths = row(STARTS, preset)?.widths ?? [null];
  const seeds = widths.map((width) => seedOf(preset, width, facts));
  const within = (share: number): Seed | undefined =>
    seeds.find(
      ({ graph }) =>
        macs(graph) < share * (budgets.macs ?? Number.POSITIVE_INFINITY) &&
        params(graph) < share * (budgets.params ?? Number.POSITIVE_INFINITY),
    );
  return within(SEED_SHARE) ?? within(1) ?? (seeds.at(-1) as Seed);
}

/** @throws E_ARGUMENT for a budget that the seed network does not fit in */
function refuseTight(what: string, budget: number | undefined, has: number): void {
  if (budget === undefined) return;
  if (!Number.isSafeInteger(budget) || budget <= has) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `${what}: expected a whole number above ${has}, what the seed network has, got ${budget}; give more, another preset, or a smaller resolution`,
    );
  }
}

/** @throws E_ARGUMENT where something of that name is there and may not be replaced */
async function refuseThere(file: string, force: boolean): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found === null || (force && found.isFile())) return;
  const remedy = found.isFile() ? 'choose another name, or --force' : 'choose another name';
  throw new SplitgrowError('E_ARGUMENT', `file ${file}: expected no file of this name; ${remedy}`);
}

function headOf(
  { data, effort }: Chosen,
  notes: readonly string[],
  next: readonly string[],
): readonly string[] {
  return [
    `A splitgrow experiment: ${DATA[data].about}; ${EFFORTS[effort]}.`,
    ...notes.map((note) => note.replaceAll('\n', ' ')),
    `Run: ${next.join(' && ')}`,
    'A field that is left out has its default. All fields: docs/reference.md, or the completion of an editor.',
  ];
}

const word = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Writes an experiment to start from, with a comment above every field: what it does and its default. It is valid as it stands.
 *
 * @throws E_ARGUMENT for what cannot be chosen, a budget below the seed network, or a file that is there; E_DATA for a folder that is
 *   there and has no layout that a run reads; E_PRESET; E_WRITE
 */
export async function init(options: InitOptions = {}): Promise<InitDocument> {
  const data = chosenOf('data', options.data ?? 'fashion-mnist', DATA);
  const effort = chosenOf('effort', options.effort ?? DATA[data].effort, EFFORTS);
  const { root, force = false } = options;
  if (root === undefined && data === 'image-folder')
    throw new SplitgrowError('E_ARGUMENT', 'root: expected the folder of the images, got none; name it');
  if (options.preset !== undefined) refuseStrange(options.preset);
  refuseOfFiles(data, options);
  const name = options.name ?? (data === 'image-folder' ? slug(basename(resolve(root ?? ''))) : data);
  const file = options.file ?? `${slug(name)}.jsonc`;
  await refuseThere(file, force);
  const { facts, notes } = await factsOf(data, options);
  const isSmall = data === 'image-folder' && facts.resolution < SMALL.below;
  const preset = options.preset ?? (isSmall ? SMALL.preset : DATA[data].preset);
  const { width, graph: seed } = seedWithin(preset, facts, options);
  refuseTight('macs', options.macs, macs(seed));
  refuseTight('params', options.params, params(seed));
  notes.push(...farBudget(options.macs, macs(seed)));
  const chosen: Chosen = {
    ...{ name, data, root, preset, width, effort, facts, followLinks: options.followLinks === true },
    ...{ macs: options.macs, params: options.params },
  };
  const schema = schemaReference(file);
  const { fetch } = DATA[data];
  const next = [...(fetch === null || root !== undefined ? [] : [fetch]), `npx splitgrow grow ${word(file)}`];
  if (data === 'imagenet' && root === undefined)
    notes.push('data.root is left out: set it to the folder of the images');
  const experiment = { $schema: schema, ...recipe(chosen) };
  parseExperiment(experiment);
  await writeFileAtomic(file, commented(experiment, experimentSchema(), headOf(chosen, notes, next)));
  return { file, name, data, preset, effort, macs: macs(seed), params: params(seed), schema, next, notes };
}
