// output/best: the network that a run hands over, with best.json, which says why it is that one.
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { writeDirectoryAtomic } from '../../machine/files/atomic.js';
import { isRecord } from '../../machine/files/json.js';
import { readJsonFile } from '../../machine/files/text-file.js';
import { FILES } from '../../train/network.js';
import { BEST_FOLDER } from '../../train/run-folder.js';
import { digestsOf, faultOf } from './record-files.js';
import type { BestRecord } from './records.js';
import type { Delivered, StageFolder } from './summary.js';

const FILE = 'best.json';
const FORMAT = 'splitgrow-best/2';

/** output/best: what a run hands over. */
export function bestDirectory(output: string): string {
  return join(output, BEST_FOLDER);
}

/** output/delivered/stage-k: the same for one stage, where every stage is delivered. */
export function deliveredDirectory(output: string, stage: number): string {
  return join(output, 'delivered', `stage-${stage}`);
}

/** best.json of a directory, or null where there is none. @throws E_RESUME where it is something else */
export async function readBest(directory: string): Promise<BestRecord | null> {
  const file = join(directory, FILE);
  const json = await readJsonFile(file, { code: 'E_RESUME', remedy: 'put a copy of the file back' });
  if (json === undefined) return null;
  if (isRecord(json) && json.format === FORMAT) return json as unknown as BestRecord;
  throw new SplitgrowError(
    'E_RESUME',
    `${file}: expected what a run hands over, format ${FORMAT}; move the file away, and run again`,
  );
}

/** What an earlier run of these stages handed over. @throws E_RESUME */
export async function readDelivered(output: string, stages: readonly StageFolder[]): Promise<Delivered> {
  const last = stages.at(-1)?.record.stage;
  const best = await readBest(bestDirectory(output));
  const found = await Promise.all(
    stages.map(({ record }) => readBest(deliveredDirectory(output, record.stage))),
  );
  // A run that went on has other stages than those that were handed over.
  return {
    best: best?.stage === last ? best : null,
    delivered: found.filter((one) => one !== null),
  };
}

/** True where the directory holds this record and the same network already. */
async function isThere(directory: string, from: string, record: BestRecord): Promise<boolean> {
  const kept = await readBest(directory);
  if (kept === null || JSON.stringify(kept) !== JSON.stringify(record)) return false;
  const names = Object.values(FILES);
  const wanted = await digestsOf(from, names);
  for (const name of names) {
    const want = wanted[name];
    if (want === undefined || (await faultOf(join(directory, name), want)) !== null) return false;
  }
  return true;
}

/** Makes `directory` a copy of the network directory `from`, with its best.json, as a whole. @throws E_WRITE, E_OUTPUT */
export async function writeBest(directory: string, from: string, record: BestRecord): Promise<void> {
  if (await isThere(directory, from, record)) return;
  const fill = async (temporary: string): Promise<void> => {
    for (const name of Object.values(FILES)) await copyFile(join(from, name), join(temporary, name));
    await writeFile(join(temporary, FILE), `${JSON.stringify(record, null, 2)}\n`);
  };
  await writeDirectoryAtomic(directory, fill, { others: 'keep' });
}
