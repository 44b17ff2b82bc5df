// One folder that holds several datasets: where in it each of them lies.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Names that a dataset's folder may have. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  'fashion-mnist': ['fashion-mnist'],
  cifar10: ['cifar10', 'cifar-10'],
  cifar100: ['cifar100', 'cifar-100'],
  imagenet: ['imagenet'],
};

/** The dataset's folder in `dataRoot`; undefined where there is none, and its own default holds. */
export function rootIn(dataRoot: string | undefined, dataset: string): string | undefined {
  if (dataRoot === undefined) return undefined;
  const places = (FOLDERS[dataset] ?? []).map((folder) => join(dataRoot, folder));
  const found = places.find((place) => existsSync(place));
  return found ?? (dataset === 'fashion-mnist' ? undefined : (places[0] ?? dataRoot));
}
