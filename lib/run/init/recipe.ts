// The members of a starting experiment: training and splitting that suit the images, the network and the budget.
import { shortSideOf } from '../../data/images/settings.js';
import { row } from '../../graph/fields.js';
import type { PresetOptions } from '../../models/zoo.js';
import { RECIPES } from '../spec/recipes.js';
import { DATA, type Effort, FOLDERS, type ImageFacts, type InitData, LARGE, STARTS } from './choices.js';

type Json = Readonly<Record<string, unknown>>;

export interface Chosen {
  readonly name: string;
  readonly data: InitData;
  readonly root: string | undefined;
  readonly followLinks: boolean;
  readonly preset: string;
  /** Of the seed network; null: as the preset has it. */
  readonly width: number | null;
  readonly effort: Effort;
  readonly macs: number | undefined;
  readonly params: number | undefined;
  readonly facts: ImageFacts;
}

export function folderRow(images: number): (typeof FOLDERS)[number] {
  return FOLDERS.find(({ upTo }) => images <= upTo) as (typeof FOLDERS)[number];
}

/** A network halves the sides of its images a few times. Multiples of this never leave half a pixel. */
const STEP = 8;

/** Pixels a side for a folder: those of the table, and no more than its images have. */
export function folderResolution(images: number, shortSide: number | undefined): number {
  const { resolution } = folderRow(images);
  const near = Math.max(STEP, STEP * Math.round((shortSide ?? resolution) / STEP));
  return Math.min(resolution, near);
}

/** Options of the preset; those that follow from the data are left out. */
export function presetOptions({
  preset,
  width,
  facts,
}: Pick<Chosen, 'preset' | 'width' | 'facts'>): PresetOptions {
  const start = row(STARTS, preset);
  return {
    ...start?.options,
    ...(width !== null && { width }),
    ...(facts.resolution < LARGE && start?.forSmall),
    activation: 'silu',
  };
}

const sgd = (learningRate: number): Json => ({ learningRate, momentum: 0.9, weightDecay: 1e-4 });

/** Rate of the recipe `growth` at its minibatch of 64; smaller minibatches take a smaller one. */
const RATE = RECIPES.growth.fit.optimizer.learningRate / RECIPES.growth.fit.batch;

/** The recipe `growth`: so many epochs a stage, and `finish` more at the final size, in the last third of which the rate falls. */
function growth(epochs: number, batch: number, finish: number): Json {
  return {
    ...{ epochs, batch, optimizer: sgd(Number((RATE * Math.min(batch, 64)).toPrecision(2))) },
    schedule: { kind: 'constant' },
    finish: { epochs: finish, decay: Math.ceil(finish / 3), stages: 'last' },
  };
}

/** The paper's schedule, for named sets that are trained in full; `growth` for all else. */
function isPaper({ data, effort }: Pick<Chosen, 'data' | 'effort'>): boolean {
  return effort === 'full' && data !== 'fashion-mnist' && data !== 'image-folder';
}

function fitOf({ data, effort, facts }: Chosen): Json {
  if (data === 'image-folder') {
    const { batch, epochs } = folderRow(facts.images);
    // A small folder gives at least two minibatches an epoch, too.
    const least = Math.max(2, Math.min(batch, Math.floor(facts.images / 2)));
    return effort === 'quick' ? growth(2, least, 6) : growth(epochs, least, 4 * epochs);
  }
  if (effort === 'quick') return growth(2, data === 'imagenet' ? 128 : 64, 8);
  if (data === 'fashion-mnist') return growth(5, 64, 30);
  if (data === 'imagenet') {
    return {
      ...{ epochs: 120, batch: 512, labelSmoothing: 0.1, optimizer: sgd(0.1) },
      schedule: { kind: 'cosine', warmup: 0 },
    };
  }
  return {
    ...{ epochs: 160, batch: data === 'cifar10' ? 256 : 128, optimizer: sgd(0.1) },
    schedule: { kind: 'steps', at: [80, 120], factor: 0.1 },
  };
}

function splittingOf(chosen: Chosen): Json {
  const { data, preset, params, facts } = chosen;
  const { epsilon, images, outgoingDelta, rescale } = RECIPES.growth.splitting;
  const curvature = row(STARTS, preset)?.identityCurvature;
  return {
    strategy: 'energy-aware',
    method: 'auto',
    ...(isPaper(chosen)
      ? { epochs: data === 'imagenet' ? 2 : 10, epsilon: 0.01 }
      : { images: Math.min(images, facts.images), epsilon, outgoingDelta, rescale }),
    growthRatio: 0.5,
    cost: params === undefined ? 'macs' : ['macs', 'params'],
    ...(curvature !== undefined && { identityCurvature: curvature }),
  };
}

/** Splitting stages where no budget says when to stop. */
function stagesOf({ data, effort }: Chosen): number {
  if (effort === 'quick') return data === 'fashion-mnist' ? 2 : 3;
  return data === 'cifar10' ? 8 : data === 'cifar100' ? 5 : 4;
}

function stopOf(chosen: Chosen): Json {
  const { macs, params } = chosen;
  if (macs === undefined && params === undefined) return { stages: stagesOf(chosen) };
  return {
    // Without this a budget of parameters would end growth only when nothing fits any more.
    ...(macs === undefined && { stages: 2 * stagesOf(chosen) }),
    ...(macs !== undefined && { macs }),
    ...(params !== undefined && { costs: { params } }),
  };
}

function dataOf({ data, root, effort, facts, followLinks }: Chosen): Json {
  const at = root === undefined ? {} : { root };
  const { isFolder } = DATA[data];
  if (!isFolder)
    return { name: data, ...at, augment: ['flip', 'crop'], cropPadding: data === 'fashion-mnist' ? 2 : 4 };
  return {
    ...{ name: data, ...at, ...(followLinks && { followLinks }), resolution: facts.resolution },
    // Otherwise smaller images would be enlarged before the crop.
    ...(facts.shortSide !== undefined &&
      facts.shortSide < shortSideOf({ shortSide: null, resolution: facts.resolution }) && {
        shortSide: facts.resolution,
      }),
    augment: data === 'imagenet' ? ['flip', 'shift'] : ['flip', 'resized-crop'],
    ...(data === 'imagenet' &&
      effort === 'quick' && { trainImages: 50_000, testImages: 5_000, validation: 0.1 }),
    ...(data === 'image-folder' && { testShare: 0.1, validation: 0.1, skipUnreadable: false }),
  };
}

/** A whole experiment as it is written, without `$schema`. */
export function recipe(chosen: Chosen): Json {
  return {
    name: chosen.name,
    recipe: isPaper(chosen) ? 'paper' : 'growth',
    network: { preset: chosen.preset, ...presetOptions(chosen) },
    data: dataOf(chosen),
    fit: fitOf(chosen),
    splitting: splittingOf(chosen),
    stop: stopOf(chosen),
    deliver: { which: 'best' },
    compare: [],
    seed: 0,
    output: `runs/${chosen.name}`,
  };
}
