// Runs of a tiny experiment that tests interfere with.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';

/** A run of one splitting stage after `epochs` epochs. */
export async function writeExperiment(
  epochs: number,
): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const file = join(folder, 'experiment.json');
  const fields = { fit: { epochs, batch: 16 }, stop: { stages: 1 } };
  await writeFile(file, JSON.stringify({ ...tinyExperiment(folder), ...fields }));
  return { folder, file };
}

/** Epochs that no test waits for. */
export const LONG = 5000;
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Until there is a checkpoint after an epoch. */
export async function hasBegun(folder: string): Promise<void> {
  const run = join(folder, 'run');
  while (!existsSync(run) || !readdirSync(run).some((name) => /^checkpoint-0-[1-9]/.test(name)))
    await pause(20);
}

/** The processes that one has started, in order. */
export function childrenOf(pid: number | undefined): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

/** False for a process that has ended and is still to be reaped, too. */
export function isRunning(pid: number): boolean {
  try {
    return /^State:\s+[^ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
