// metrics.jsonl: one line an epoch, evaluation and split, appended as they happen and cut back when a run resumes.
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../atomic.js';
import type { MetricsLine } from './records.js';

const FILE = 'metrics.jsonl';

/** Where a run continues: `epoch` epochs of `stage` are finished. */
export interface Position {
  readonly stage: number;
  readonly epoch: number;
}

/** Appends a line and waits until it is on disk. */
export async function appendMetrics(output: string, line: MetricsLine): Promise<void> {
  const file = await open(join(output, FILE), 'a');
  try {
    await file.write(`${JSON.stringify(line)}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

function parseLine(text: string): MetricsLine | null {
  try {
    const value = JSON.parse(text) as MetricsLine | null;
    return typeof value === 'object' && typeof value?.stage === 'number' ? value : null;
  } catch {
    return null;
  }
}

/** Every whole line; one that a kill tore is left out. */
export async function readMetrics(output: string): Promise<readonly MetricsLine[]> {
  const text = await readFile(join(output, FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

function isBefore(line: MetricsLine, position: Position): boolean {
  return (
    line.stage < position.stage ||
    (line.stage === position.stage && line.type === 'epoch' && line.epoch < position.epoch)
  );
}

/** Drops what was written after the checkpoint that the run continues from, and a torn last line. */
export async function cutMetrics(output: string, position: Position): Promise<void> {
  const lines = (await readMetrics(output)).filter((line) => isBefore(line, position));
  await writeFileAtomic(join(output, FILE), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
