// The output folder of a run: locked, of this very experiment, and clear of what a kill left half written.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { recoverDirectory, writeFileAtomic } from '../atomic.js';
import { SplitgrowError } from '../errors.js';
import { readJsonFile } from '../text-file.js';
import { lockOutput } from './lock.js';
import { difference } from './same.js';
import type { Spec } from './spec.js';

export type Command = 'grow' | 'train' | 'compare';

/** experiment.json: the experiment with every default, to be run again as it is. run.json: which command runs it, and what is to be known of its data. */
const FILES = { spec: 'experiment.json', run: 'run.json' } as const;
/** What only a run writes: without experiment.json it is of no run that can go on. */
const FOREIGN = /^(network\.json|weights\.safetensors|summary\.json|stage-\d+|checkpoint-\d+-\d+(-.*)?)$/;
/** Names that atomic.ts gives while it writes. */
const TEMPORARY = /^\..+\.tmp-\d+-[0-9a-f]+$/;
const REPLACED = /^\.(.+)\.old$/;

async function readKept(file: string): Promise<unknown> {
  return readJsonFile(file, { code: 'E_RESUME', remedy: 'put the file back, or choose another output' });
}

/** The experiment that an output folder holds, unchecked; undefined where it holds none. */
export async function readExperimentKept(output: string): Promise<unknown> {
  return readKept(join(output, FILES.spec));
}

/** @throws E_RESUME where the folder holds another experiment, naming the field */
async function refuseOther(spec: Spec, command: Command): Promise<void> {
  const kept = await readExperimentKept(spec.output);
  if (kept === undefined) {
    const foreign = (await readdir(spec.output)).find((name) => FOREIGN.test(name));
    if (foreign === undefined) return;
    throw new SplitgrowError(
      'E_RESUME',
      `output ${spec.output}: it holds ${foreign} but no ${FILES.spec}, so it is of no run; choose another output`,
    );
  }
  const run = (await readKept(join(spec.output, FILES.run))) as
    | { readonly command?: unknown }
    | null
    | undefined;
  const isOther = run?.command !== undefined && run.command !== command;
  const found = isOther
    ? { field: 'the command', kept: String(run.command), asked: command }
    : difference(kept, spec);
  if (found === null) return;
  throw new SplitgrowError(
    'E_RESUME',
    `output ${spec.output}: it holds another experiment: ${found.field} was ${found.kept}, now ${found.asked}; choose another output or remove the folder`,
  );
}

/** Removes what a killed run left half written, and puts back a directory that it was about to replace. */
async function clear(output: string): Promise<void> {
  for (const name of await readdir(output)) {
    const replaced = REPLACED.exec(name)?.[1];
    if (replaced !== undefined) await recoverDirectory(join(output, replaced));
    if (TEMPORARY.test(name)) await rm(join(output, name), { recursive: true, force: true });
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Makes, locks and checks the output folder; `data` is what a reader of the report should know about the images. @returns what releases it.
 * @throws E_RESUME where it holds another experiment or another run is using it
 */
export async function openOutput(
  spec: Spec,
  command: Command,
  { data }: { readonly data?: string | undefined } = {},
): Promise<() => Promise<void>> {
  try {
    await mkdir(spec.output, { recursive: true });
  } catch (cause) {
    throw new SplitgrowError(
      'E_WRITE',
      `output ${spec.output}: expected a folder that can be made; ${(cause as Error).message}`,
      { cause },
    );
  }
  const release = await lockOutput(spec.output);
  try {
    await refuseOther(spec, command);
    await clear(spec.output);
    await writeJson(join(spec.output, FILES.run), {
      format: 'splitgrow-run/1',
      command,
      ...(data !== undefined && { data }),
    });
    await writeJson(join(spec.output, FILES.spec), spec);
    return release;
  } catch (error) {
    await release();
    throw error;
  }
}
