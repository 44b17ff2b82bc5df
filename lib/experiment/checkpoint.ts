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
const MOMENTUM = 'momentum.safetensors';
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
    await writeSafetensors(
      join(temporary, MOMENTUM),
      new Map(loadCore().readNetwork(network.handle, 'momentum')),
    );
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
  const momentum = await readSafetensors(join(place.directory, MOMENTUM));
  const network = await loadNetwork(place.directory, { device });
  try {
    loadCore().writeMomentum(network.handle, [...momentum]);
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
  return { network, state };
}
