// A grown run of seconds and its rivals, for the tests of rivals.
import { mkdtempSync } from 'node:fs';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grow } from '../../lib/api/grow.js';
import type { RunControl } from '../../lib/native/events.js';
import { RIVALS } from '../../lib/rivals/table.js';
import type { RivalRecord, Summary } from '../../lib/run/store/records.js';
import { asRead, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

export type Entry = string | Readonly<Record<string, unknown>>;

export const LAMBDAS = [1e-3, 1e-5];

/** The entry of a method at every stage, at equal epochs. */
export function atStages(method: string): Entry {
  return {
    method,
    at: 'stages',
    equal: 'epochs',
    ...(method.startsWith('morphnet') && { lambdas: LAMBDAS }),
  };
}

export const EVERY: readonly Entry[] = Object.keys(RIVALS).map(atStages);

/** A run and the folder of its dataset, which copies of the run go on with. */
export interface Played {
  readonly folder: string;
  readonly output: string;
  readonly summary: Summary;
}

/** Two splitting stages of an epoch each. */
export function experimentIn(
  folder: string,
  output: string,
  entries: readonly Entry[],
): Record<string, unknown> {
  const fit = { epochs: 1, batch: 32, schedule: { kind: 'steps', at: [0.5], factor: 0.5 } };
  return { ...tinyExperiment(folder, output), fit, compare: entries };
}

export function run(
  folder: string,
  output: string,
  entries: readonly Entry[],
  control: RunControl = {},
): Promise<Summary> {
  return grow({ experiment: asRead(experimentIn(folder, output, entries)) }, control);
}

/** Grows and trains the rivals. @returns the run, to be removed with its folder */
export async function played(entries: readonly Entry[]): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-'));
  await writeTinyData(folder);
  const output = join(folder, 'run');
  return { folder, output, summary: await run(folder, output, entries) };
}

/** A copy of a run without its rivals, removed after the test. @returns its output folder */
export async function withoutRivals({ output }: Played): Promise<string> {
  const copy = join(temporaryFolder(), 'run');
  await cp(output, copy, { recursive: true });
  await rm(join(copy, 'compare'), { recursive: true, force: true });
  await rm(join(copy, 'compare.json'), { force: true });
  return copy;
}

export const foldersOf = (output: string): Promise<string[]> => readdir(join(output, 'compare'));

export const bytesOf = (directory = ''): Promise<Buffer> => readFile(join(directory, 'weights.safetensors'));

export const rivalsOf = (method: string, { compare = [] }: Summary): readonly RivalRecord[] =>
  compare.filter((rival) => rival.method === method);
