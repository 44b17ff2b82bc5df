// Files of a figure: the folders of experiments/ with a figure.json, the experiments that its curves name, the folders of datasets.

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SplitgrowError } from '../errors.js';
import { didYouMean } from '../graph/fields.js';
import { readJsonFile, readText } from '../machine/files/text-file.js';
import { experimentJson } from '../run/spec/spec.js';
import { type FigureSpec, parseFigure } from './spec.js';

/** The figures that come with splitgrow. */
export const EXPERIMENTS = fileURLToPath(new URL('../../experiments', import.meta.url));
const FILE = 'figure.json';

/** A figure with the experiments of its curves as they are written. */
export interface Figure {
  readonly spec: FigureSpec;
  /** By the name that the curves give them. */
  readonly experiments: ReadonlyMap<string, unknown>;
}

function missing(file: string): SplitgrowError {
  return new SplitgrowError('E_FILE', `${file}: expected a readable file; there is none`);
}

async function textOf(file: string): Promise<string> {
  const text = await readText(file);
  if (text === null) throw missing(file);
  return text;
}

async function readJson(file: string): Promise<unknown> {
  const json = await readJsonFile(file, { code: 'E_EXPERIMENT' });
  if (json === undefined) throw missing(file);
  return json;
}

/** Folders with a figure.json, by name. */
export async function figureIds(root: string): Promise<readonly string[]> {
  try {
    return (await readdir(root)).filter((name) => existsSync(join(root, name, FILE))).sort();
  } catch (cause) {
    throw new SplitgrowError('E_FILE', `${root}: expected a folder of figures; ${(cause as Error).message}`, {
      cause,
    });
  }
}

function located<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SplitgrowError) || error.code !== 'E_EXPERIMENT') throw error;
    throw new SplitgrowError('E_EXPERIMENT', `${file}: ${error.message}`, { cause: error });
  }
}

/** @throws E_USAGE for an unknown id, naming the nearest; E_EXPERIMENT and E_FILE for what is wrong in its folder */
export async function readFigure(id: string, root: string = EXPERIMENTS): Promise<Figure> {
  const known = await figureIds(root);
  if (!known.includes(id)) {
    throw new SplitgrowError(
      'E_USAGE',
      `there is no figure "${id}" in ${root}${didYouMean(id, known, 'always')}`,
    );
  }
  const file = join(root, id, FILE);
  const json = await readJson(file);
  const spec = located(file, () => parseFigure(json));
  if (spec.id !== id)
    throw new SplitgrowError(
      'E_EXPERIMENT',
      `${file}: id: expected "${id}", its folder's name, got "${spec.id}"`,
    );
  const experiments = new Map<string, unknown>();
  for (const { experiment } of spec.curves) {
    if (experiments.has(experiment)) continue;
    const path = resolve(root, id, experiment);
    experiments.set(experiment, experimentJson(await textOf(path), path));
  }
  return { spec, experiments };
}

/** Names that a dataset's folder may have. */
const DATASET_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  'fashion-mnist': ['fashion-mnist'],
  cifar10: ['cifar10', 'cifar-10'],
  cifar100: ['cifar100', 'cifar-100'],
  imagenet: ['imagenet'],
};

/** Where a dataset lies in a folder of several datasets; undefined where its own default place holds. */
export function datasetRoot(dataRoot: string | undefined, dataset: string): string | undefined {
  if (dataRoot === undefined) return undefined;
  const places = (DATASET_FOLDERS[dataset] ?? []).map((folder) => join(dataRoot, folder));
  const found = places.find((place) => existsSync(place));
  return found ?? (dataset === 'fashion-mnist' ? undefined : (places[0] ?? dataRoot));
}
