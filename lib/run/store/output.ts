// The output folder of a run: locked, checked to be of the same experiment, and cleared of what a kill left half written.
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { makeFolder, writeFileAtomic } from '../../machine/files/atomic.js';
import { readJsonFile } from '../../machine/files/text-file.js';
import { note } from '../../native/control.js';
import { backTo, type Difference, obstacle, remediesTaken } from '../spec/differences.js';
import type { Spec } from '../spec/experiment.js';
import { withDefaults } from '../spec/spec.js';
import { furthestPlace } from './checkpoint-places.js';
import { type Hold, lockOutput } from './lock.js';

export type Command = 'grow' | 'train' | 'compare';

/** experiment.json: the experiment with every default, to be run again as it is. run.json: which command runs it, and what is to be known of its data. */
const FILES = { spec: 'experiment.json', run: 'run.json', summary: 'summary.json' } as const;
const FORMAT = 'splitgrow-run/1';
/** The names that a run writes into its output folder. A folder that has one of them but no run.json is not a run's, and is refused. */
const WRITTEN =
  /^(experiment|run|network|stage|summary|compare|report)\.json$|^metrics\.jsonl$|^report\.html$|^(stages|epochs)\.csv$|^weights\.safetensors$|^(plots|best|finish|compare)$|^stage-\d+$|^(damaged-)?checkpoint-\d+-\d+(-.*)?$/;

async function readKept(file: string): Promise<unknown> {
  return readJsonFile(file, { code: 'E_RESUME', remedy: 'put the file back, or choose another output' });
}

/** The experiment that an output folder holds, unchecked; undefined where it holds none. */
export async function readExperimentKept(output: string): Promise<unknown> {
  return readKept(join(output, FILES.spec));
}

/** @throws E_RESUME where no run made the folder and it holds a file by a name that a run would write */
async function refuseOthers(output: string, run: RunRecord | undefined): Promise<void> {
  if (run?.format === FORMAT) return;
  const names = await readdir(output);
  // Early versions wrote no run.json.
  if (run === undefined && names.includes(FILES.spec) && (await furthestPlace(output)) !== null) return;
  const other = names.find((name) => WRITTEN.test(name));
  if (other === undefined) return;
  throw new SplitgrowError(
    'E_RESUME',
    `output ${output}: it holds ${other} but no ${FILES.run} of a run, which would be written over; choose another output`,
  );
}

/** A field that had another value when the run went on. */
interface Change extends Difference {
  /** The furthest checkpoint at that time; null: none. */
  readonly after: string | null;
}

interface RunRecord {
  readonly format?: unknown;
  readonly command?: unknown;
  readonly changes?: readonly Change[];
}

/** True where nothing is left to train: summary.json is there, which is written last, and no more stages are asked for. */
async function isFinished({ output, stop }: Spec): Promise<boolean> {
  const summary = (await readKept(join(output, FILES.summary))) as { readonly stages?: unknown } | undefined;
  if (summary === undefined) return false;
  const stages = Array.isArray(summary?.stages) ? summary.stages.length : 0;
  return stop.stages === undefined || stages > stop.stages;
}

/** What the run goes on with otherwise, earlier changes before later ones. @throws E_RESUME where the folder holds another experiment, naming the field */
async function changesOf(spec: Spec, command: Command, { control }: Hold): Promise<readonly Change[]> {
  const run = ((await readKept(join(spec.output, FILES.run))) ?? undefined) as RunRecord | undefined;
  await refuseOthers(spec.output, run);
  const kept = await readExperimentKept(spec.output);
  if (kept === undefined) return [];
  const known = withDefaults(kept);
  const isOther = run?.command !== undefined && run.command !== command;
  const found = isOther
    ? { field: 'the command', kept: String(run.command), asked: command }
    : obstacle(known, spec, { isFinished: await isFinished(spec) });
  if (found === null) {
    const place = await furthestPlace(spec.output);
    const taken = remediesTaken(known, spec);
    for (const { field, kept: before, asked, says } of taken)
      note(control, 0, 'load', `${field} was ${before} and is ${asked} from here on: ${says}`);
    const after = place === null ? null : basename(place.directory);
    return [...(run?.changes ?? []), ...taken.map(({ says: _says, ...change }) => ({ ...change, after }))];
  }
  throw new SplitgrowError(
    'E_RESUME',
    `output ${spec.output}: it holds another experiment: ${found.field} was ${found.kept}, now ${found.asked}; ${backTo(found)}choose another output or remove the folder`,
  );
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Options of `withOutput`. */
export interface OutputOptions {
  /** What a reader of the report should know about the images. */
  readonly data?: string | undefined;
  /** The control of the run's work. The work ends when the output folder is lost. */
  readonly hold: Hold;
}

async function begin(spec: Spec, command: Command, { data, hold }: OutputOptions): Promise<void> {
  const changes = await changesOf(spec, command, hold);
  await writeJson(join(spec.output, FILES.run), {
    format: FORMAT,
    command,
    ...(data !== undefined && { data }),
    ...(changes.length > 0 && { changes }),
  });
  await writeJson(join(spec.output, FILES.spec), spec);
}

/**
 * Makes, locks and checks the output folder, and runs `work` while it is locked. Files of others in it stay as they are.
 * @throws E_RESUME where it holds another experiment, files of others under names of a run, or another run is using it; E_WRITE;
 *   E_OUTPUT where the folder is lost while `work` runs
 */
export async function withOutput<T>(
  spec: Spec,
  command: Command,
  { data, hold }: OutputOptions,
  work: () => Promise<T>,
): Promise<T> {
  await makeFolder(spec.output);
  const lease = await lockOutput(spec.output, hold);
  try {
    await begin(spec, command, { data, hold });
    const result = await work();
    await lease.check();
    return result;
  } catch (error) {
    throw hold.failure() ?? error;
  } finally {
    await lease.release();
  }
}
