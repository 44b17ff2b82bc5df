// metrics.jsonl: one line an epoch, evaluation and split, appended as they happen and made anew when a run resumes.
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeError, writeFileAtomic } from '../../machine/files/atomic.js';
import { ifThere } from '../../machine/files/folder.js';
import { parseStrictJson } from '../../machine/files/json.js';
import { checkGuards } from '../../machine/files/lease.js';
import type { MetricsLine, StateRecord } from './records.js';

const FILE = 'metrics.jsonl';
/** Appends to a file that is there, and never through a link. If another folder took the place of the output, nothing is made in it. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;

/** Appends a line and waits until it is on disk. @throws E_WRITE, E_OUTPUT */
export async function appendMetrics(output: string, line: MetricsLine): Promise<void> {
  const path = join(output, FILE);
  const text = `${JSON.stringify(line)}\n`;
  try {
    // The file is opened before the lock is checked. A run that takes the lock over later begins a new file.
    const file = await ifThere(open(path, APPEND));
    if (file === null) return await writeFileAtomic(path, text);
    try {
      await checkGuards(path);
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // If the lock was lost meanwhile, that error explains more than the failed write.
    await checkGuards(path);
    throw writeError(path, error);
  }
}

function parseLine(text: string): MetricsLine | null {
  try {
    const value = parseStrictJson(text) as MetricsLine | null;
    return typeof value === 'object' && typeof value?.stage === 'number' ? value : null;
  } catch {
    return null;
  }
}

/** Every complete line. A line that a kill cut off is left out. */
export async function readMetrics(output: string): Promise<readonly MetricsLine[]> {
  const text = await readFile(join(output, FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

/**
 * The lines up to where a run stands, and no others: those of the stages before as they are, those of this stage's
 * epochs as its checkpoint has them.
 */
export async function restoreMetrics(output: string, { stage, epochs }: StateRecord): Promise<void> {
  const before = (await readMetrics(output)).filter((line) => line.stage < stage);
  const here = epochs.map((epoch): MetricsLine => ({ type: 'epoch', stage, ...epoch }));
  await writeFileAtomic(
    join(output, FILE),
    [...before, ...here].map((line) => `${JSON.stringify(line)}\n`).join(''),
  );
}
