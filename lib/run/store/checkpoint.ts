// Checkpoints of a run. Each is written as a whole, and verified to the last bit when it is read. If it is damaged, the one before is used.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../../data/safetensors.js';
import { reasonOf, SplitgrowError } from '../../errors.js';
import { removeFiles, setAside, writeDirectoryAtomic } from '../../machine/files/atomic.js';
import { sha256Of } from '../../machine/files/digest.js';
import { parseStrictJson } from '../../machine/files/json.js';
import { checkGuards } from '../../machine/files/lease.js';
import { readWhole } from '../../machine/files/text-file.js';
import type { Device, TensorMap } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { FILES, loadNetwork, type Network, refuseNotFinite } from '../../train/network.js';
import { backTo, obstacle } from '../spec/differences.js';
import type { Spec } from '../spec/experiment.js';
import { withDefaults } from '../spec/spec.js';
import { checkpointName, type Place, placesIn } from './checkpoint-places.js';
import { digestsOf, faultOf, sealed } from './record-files.js';
import type { CheckpointRecord, StateRecord } from './records.js';
import { EXTRAS, type Extra, type Extras, fileOf, SETS, type Snapshot } from './snapshot.js';

/** state.json: the position of the run, with the digests of the other files. */
export const STATE = 'state.json';
const FORMAT = 'splitgrow-state/2';
/** The names of a checkpoint's files. Other files in its folder do not belong to the run, and stay. */
const WRITTEN: readonly string[] = [
  ...[STATE, FILES.graph, FILES.weights],
  ...SETS.map(fileOf),
  ...Object.values(EXTRAS),
];

/** Files of a network's own tensors, every number of which is finite. */
const NUMBERS: ReadonlySet<string> = new Set([FILES.weights, ...SETS.map(fileOf)]);

/** state.json of files that are written. */
async function stateText(
  directory: string,
  { stage, epoch, epochs, within }: StateRecord,
  experiment: unknown,
  names: readonly string[],
): Promise<string> {
  const record = { format: FORMAT, stage, epoch, epochs, ...(within && { within }), experiment };
  return sealed(record, await digestsOf(directory, names));
}

/** Removes all but the furthest `keep`. */
async function removeOlder(output: string, keep: number): Promise<void> {
  for (const { directory } of (await placesIn(output)).slice(keep)) {
    await checkGuards(directory);
    await removeFiles(directory, WRITTEN);
  }
}

/** Writes a checkpoint and then removes the older ones: a kill at any moment leaves a whole one. @throws E_WRITE */
export async function writeCheckpoint(spec: Spec, { state, graph, tensors }: Snapshot): Promise<void> {
  const fill = async (temporary: string): Promise<void> => {
    await writeFile(join(temporary, FILES.graph), `${JSON.stringify(graph, null, 2)}\n`);
    for (const [file, map] of tensors) {
      if (NUMBERS.has(file)) refuseNotFinite(map, join(spec.output, checkpointName(state), file));
      await writeSafetensors(join(temporary, file), map);
    }
    const names = [FILES.graph, ...tensors.keys()];
    await writeFile(join(temporary, STATE), await stateText(temporary, state, spec, names));
  };
  await writeDirectoryAtomic(join(spec.output, checkpointName(state)), fill, {
    ours: WRITTEN,
    others: 'keep',
  });
  await removeOlder(spec.output, spec.checkpoint.keep);
}

/** Makes a copied checkpoint one of this experiment. @throws E_RESUME where the copy is not whole */
export async function claimCheckpoint(directory: string, spec: Spec): Promise<void> {
  const record = await readState(directory);
  await verify(directory, record);
  await writeFile(
    join(directory, STATE),
    await stateText(directory, record, spec, Object.keys(record.files)),
  );
}

/** A checkpoint in memory. */
export interface Position {
  readonly network: Network;
  readonly state: StateRecord;
  readonly extras: Extras;
}

function damaged(file: string, problem: string): SplitgrowError {
  return new SplitgrowError('E_RESUME', `${file}: ${problem}`);
}

function parseRecord(text: string, file: string): CheckpointRecord {
  let record: CheckpointRecord;
  try {
    record = parseStrictJson(text) as CheckpointRecord;
  } catch {
    throw damaged(file, 'expected JSON');
  }
  if (typeof record?.format !== 'string' || !record.format.startsWith('splitgrow-state/'))
    throw damaged(file, 'expected the state of a checkpoint');
  if (record.format !== FORMAT) {
    throw new OtherError(
      `${file}: expected a checkpoint of format ${FORMAT}, found ${record.format}: another version of splitgrow wrote it; ` +
        'go on with that version, or choose another output',
    );
  }
  const { sha256, ...rest } = record;
  if (sha256 !== sha256Of(JSON.stringify(rest))) throw damaged(file, 'its checksum is wrong');
  return record;
}

/** The checkpoint is whole but belongs to another run, so no earlier one is tried. */
class OtherError extends SplitgrowError {
  constructor(message: string) {
    super('E_RESUME', message);
  }
}

/** Where the checkpoint in `directory` stands. @throws E_RESUME where that is not told */
export async function readState(directory: string): Promise<CheckpointRecord> {
  const file = join(directory, STATE);
  return parseRecord(await readWhole(file), file);
}

async function verify(directory: string, { files }: CheckpointRecord): Promise<void> {
  for (const [name, want] of Object.entries(files)) {
    const file = join(directory, name);
    const problem = await faultOf(file, want);
    if (problem !== null) throw damaged(file, problem);
  }
}

async function readExtras(directory: string, { files }: CheckpointRecord): Promise<Extras> {
  const extras: Partial<Record<Extra, TensorMap>> = {};
  for (const [extra, file] of Object.entries(EXTRAS))
    if (file in files) extras[extra as Extra] = await readSafetensors(join(directory, file));
  return extras;
}

/** The record of a checkpoint that is whole and this experiment's. */
async function readVerified(directory: string, spec: Spec): Promise<CheckpointRecord> {
  const state = await readState(directory);
  const found = obstacle(withDefaults(state.experiment), spec);
  if (found !== null) {
    throw new OtherError(
      `${directory}: it is a checkpoint of another experiment: ${found.field} was ${found.kept}, now ${found.asked}; ${backTo(found)}remove it or choose another output`,
    );
  }
  await verify(directory, state);
  return state;
}

async function load(directory: string, state: CheckpointRecord, device: Device): Promise<Position> {
  const extras = await readExtras(directory, state);
  const network = await loadNetwork(directory, { device });
  try {
    for (const set of SETS) {
      if (!(fileOf(set) in state.files)) continue;
      const tensors = await readSafetensors(join(directory, fileOf(set)));
      loadCore().writeNetwork(network.handle, set, [...tensors]);
    }
    const { stage, epoch, epochs, within } = state;
    return { network, state: { stage, epoch, epochs, ...(within && { within }) }, extras };
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
}

/**
 * The furthest checkpoint of an output folder that is whole, or null where there is none. Those that are not are told to
 * `tell` and set aside.
 * @throws E_RESUME where one is of another experiment or format, or where there are some but none is whole
 */
export async function readCheckpoint(spec: Spec, tell: (text: string) => void): Promise<Position | null> {
  const broken: { readonly place: Place; readonly reason: string }[] = [];
  for (const place of await placesIn(spec.output)) {
    let record: CheckpointRecord;
    try {
      record = await readVerified(place.directory, spec);
    } catch (error) {
      if (error instanceof OtherError) throw error;
      broken.push({ place, reason: reasonOf(error) });
      continue;
    }
    for (const one of broken) {
      // Left where it is, it would be in the way of the run that goes on from an earlier one.
      const aside = await setAside(one.place.directory);
      tell(
        `WARNING: a checkpoint is damaged (${one.reason}); it is now ${aside}, and the run goes on from the one before`,
      );
    }
    return load(place.directory, record, spec.device);
  }
  if (broken.length === 0) return null;
  throw new SplitgrowError(
    'E_RESUME',
    `output ${spec.output}: none of its checkpoints can be read (${broken.map(({ reason }) => reason).join('; ')}); ` +
      'put a copy of one back, or remove the folder to begin anew',
  );
}
