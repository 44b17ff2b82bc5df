// Checkpoints of a run: after every epoch the network, its momentum and where it stands, written as a whole.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDirectoryAtomic } from '../atomic.js';
import { readSafetensors, writeSafetensors } from '../data/safetensors.js';
import { SplitgrowError } from '../errors.js';
import { type Device, loadCore } from '../native.js';
import { loadNetwork, type Network, writeNetworkFiles } from '../network.js';
import type { StateRecord } from './records.js';

const NAME = /^checkpoint-(\d+)-(\d+)$/;
/** What training keeps beside the weights, each in a file of its name; one that is empty has none. */
const SETS = ['momentum', 'average'] as const;
const fileOf = (set: (typeof SETS)[number]): string => `${set}.safetensors`;
const STATE = 'state.json';

export interface Place {
  readonly directory: string;
  readonly stage: number;
  readonly epoch: number;
}

/** Checkpoints of an output folder, the furthest first. */
async function placesIn(output: string): Promise<readonly Place[]> {
  const names = await readdir(output);
  return names
    .flatMap((name): Place[] => {
      const found = NAME.exec(name);
      return found === null
        ? []
        : [{ directory: join(output, name), stage: Number(found[1]), epoch: Number(found[2]) }];
    })
    .sort((a, b) => b.stage - a.stage || b.epoch - a.epoch);
}

/** Writes checkpoint-<stage>-<epoch> and then removes the older ones: a kill at any moment leaves a whole one. */
export async function writeCheckpoint(output: string, network: Network, state: StateRecord): Promise<void> {
  const directory = join(output, `checkpoint-${state.stage}-${state.epoch}`);
  await writeDirectoryAtomic(directory, async (temporary) => {
    await writeNetworkFiles(network, temporary);
    for (const set of SETS) {
      const tensors = loadCore().readNetwork(network.handle, set);
      if (set === 'momentum' || tensors.length > 0)
        await writeSafetensors(join(temporary, fileOf(set)), new Map(tensors));
    }
    await writeFile(join(temporary, STATE), `${JSON.stringify(state)}\n`);
  });
  for (const place of await placesIn(output)) {
    if (place.directory !== directory) await rm(place.directory, { recursive: true, force: true });
  }
}

/** The furthest checkpoint's place, or null where there is none. */
export async function furthestPlace(output: string): Promise<Place | null> {
  return (await placesIn(output))[0] ?? null;
}

export interface Checkpoint {
  readonly network: Network;
  readonly state: StateRecord;
}

function parseState(text: string, file: string): StateRecord {
  try {
    const state = JSON.parse(text) as StateRecord;
    if (state.format === 'splitgrow-state/1') return state;
  } catch {
    // Told below.
  }
  throw new SplitgrowError(
    'E_RESUME',
    `${file}: expected the state of a checkpoint; remove that folder and run again`,
  );
}

/** Where the checkpoint in `directory` stands. @throws E_RESUME where that is not told */
export async function readState(directory: string): Promise<StateRecord> {
  const file = join(directory, STATE);
  return parseState(await readFile(file, 'utf8'), file);
}

/** The furthest checkpoint of an output folder, or null where there is none. */
export async function readCheckpoint(output: string, device: Device): Promise<Checkpoint | null> {
  const place = await furthestPlace(output);
  if (place === null) return null;
  const state = await readState(place.directory);
  const names = await readdir(place.directory);
  const network = await loadNetwork(place.directory, { device });
  try {
    for (const set of SETS) {
      if (set !== 'momentum' && !names.includes(fileOf(set))) continue;
      const tensors = await readSafetensors(join(place.directory, fileOf(set)));
      loadCore().writeNetwork(network.handle, set, [...tensors]);
    }
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
  return { network, state };
}
