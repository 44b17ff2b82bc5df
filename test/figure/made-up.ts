// A figure of tiny runs in a folder of its own, and figures that are only planned.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from '../../lib/figure/files.js';
import { parseFigure } from '../../lib/figure/spec.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';

type Json = Record<string, unknown>;

/** Two curves that share their seed network, and a third that is the first under another name. */
export function figureJson(change: Json = {}): Json {
  return {
    format: 'splitgrow-figure-spec/1',
    id: 'mini',
    title: 'Made up',
    paper: 'none',
    curves: [
      { label: 'aware', experiment: 'tiny.json' },
      { label: 'random', experiment: 'tiny.json', set: ['splitting.strategy=random'] },
    ],
    scales: { smoke: { note: 'tiny', seeds: 1, set: ['stop.stages=1'] } },
    ...change,
  };
}

export interface Place {
  /** Folder of figures. */
  readonly root: string;
  readonly out: string;
}

/** Writes figure "mini" with tiny.json and its data. */
export async function figureOnDisk(change: Json = {}, experiment: Json = {}): Promise<Place> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const root = join(folder, 'experiments');
  mkdirSync(join(root, 'mini'), { recursive: true });
  writeFileSync(join(root, 'mini', 'figure.json'), JSON.stringify(figureJson(change)));
  writeFileSync(
    join(root, 'mini', 'tiny.json'),
    JSON.stringify({ ...tinyExperiment(folder), ...experiment }),
  );
  return { root, out: join(folder, 'out') };
}

/** A figure that is planned but not run. */
export function figureOf(change: Json = {}, experiment: Json = {}): Figure {
  const tiny = { ...tinyExperiment('/nowhere'), ...experiment };
  return { spec: parseFigure(figureJson(change)), experiments: new Map([['tiny.json', tiny]]) };
}
