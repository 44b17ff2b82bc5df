// A run that has not begun takes stage 0 over from another run that fitted the same seed network in the same way.
import { copyFile, cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { writeDirectoryAtomic } from '../../machine/files/atomic.js';
import { difference, seedPart } from '../spec/differences.js';
import { epochsOf } from '../spec/epochs.js';
import type { Spec } from '../spec/experiment.js';
import { parseExperiment } from '../spec/spec.js';
import { claimCheckpoint, readState, STATE } from '../store/checkpoint.js';
import { checkpointName, furthestPlace } from '../store/checkpoint-places.js';
import { restoreMetrics } from '../store/metrics.js';
import { readExperimentKept } from '../store/output.js';
import { wholeStage } from '../store/whole-stage.js';
import { finishDirectory } from './finish.js';

/** Copies the finished seed network, if there is one. */
async function adoptFinished(output: string, from: string): Promise<void> {
  const source = finishDirectory(from, 0);
  const isThere = await readdir(source).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (!isThere) return;
  await wholeStage(source, source, { canRedo: false, tell: () => undefined });
  await writeDirectoryAtomic(finishDirectory(output, 0), (temporary) =>
    cp(source, temporary, { recursive: true, filter: (path) => !path.endsWith('.lock') }),
  );
}

/**
 * Copies the finished stage 0 of the run in `from` (its last checkpoint and its epochs' metrics) into an output folder that
 * is open and has no checkpoint yet; where there is one, does nothing. The run then resumes as if it had fitted stage 0
 * itself, to the same bits. The checkpoint comes last and as a whole: after a kill the copy is made again.
 *
 * @returns true where something was copied.
 * @throws E_RESUME where `from` is another seed network, not finished, or damaged
 */
export async function adoptStage(spec: Spec, from: string): Promise<boolean> {
  if ((await furthestPlace(spec.output)) !== null) return false;
  const [kept, place] = [await readExperimentKept(from), await furthestPlace(from).catch(() => null)];
  if (kept === undefined || place === null) {
    throw new SplitgrowError(
      'E_RESUME',
      `${from}: expected a run that has fitted stage 0, found ${kept === undefined ? 'no experiment' : 'no checkpoint'}`,
    );
  }
  const found = difference(seedPart(parseExperiment(kept)), seedPart(spec));
  if (found !== null) {
    throw new SplitgrowError(
      'E_RESUME',
      `output ${spec.output}: cannot take stage 0 over from ${from}: ${found.field} was ${found.kept}, now ${found.asked}`,
    );
  }
  const state = await readState(place.directory);
  const epochs = epochsOf(spec.fit, 0);
  if (state.stage !== 0 || state.epoch !== epochs || state.within !== undefined) {
    throw new SplitgrowError(
      'E_RESUME',
      `${from}: expected a run that stands after epoch ${epochs} of stage 0, found epoch ${state.epoch} of stage ${state.stage}`,
    );
  }
  await restoreMetrics(spec.output, state);
  await adoptFinished(spec.output, from);
  await writeDirectoryAtomic(join(spec.output, checkpointName(state)), async (temporary) => {
    for (const name of [...Object.keys(state.files), STATE])
      await copyFile(join(place.directory, name), join(temporary, name));
    await claimCheckpoint(temporary, spec);
  });
  return true;
}
