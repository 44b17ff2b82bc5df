// Finishing: a copy of a stage's network is trained on while the rate falls to 0; growth goes on from the one it was copied from.
import { join } from 'node:path';
import type { RunControl } from '../../native/events.js';
import { copyOf } from '../../split/step/offspring.js';
import { loadNetwork, type Network } from '../../train/network.js';
import { seedOf } from '../../train/seeds.js';
import { DELIVER } from '../spec/deliver.js';
import { finishOf, NO_FINISH } from '../spec/epochs.js';
import type { Spec } from '../spec/spec.js';
import { SPLITTING } from '../spec/splitting.js';
import type { Finished } from './position.js';
import { ratesByAge } from './rates-by-age.js';
import type { Session } from './session.js';
import { trainNetwork } from './train.js';

/** output/finish/stage-k: a training with its own checkpoints. It is done once, and goes on after a kill. */
export function finishDirectory(output: string, stage: number): string {
  return join(output, 'finish', `stage-${stage}`);
}

/** It does not depend on how the run grows or when it stops, so runs that share a stage share its finished network. */
function finishSpec({ fit, ...spec }: Spec, stage: number): Spec {
  const { epochs, decay } = finishOf(fit, stage, true);
  const average = { ...fit.average, warmup: 0 };
  return {
    ...spec,
    name: `finished stage ${stage}`,
    fit: {
      ...fit,
      epochs,
      average,
      finish: NO_FINISH,
      // It does not grow: factors come with the session.
      rateByAge: false,
      schedule: { kind: 'wsd', warmup: 0, decay },
    },
    splitting: SPLITTING.parse({}),
    stop: {},
    compare: [],
    deliver: DELIVER.parse({}),
    seed: seedOf('finish', spec.seed, stage),
    output: finishDirectory(spec.output, stage),
  };
}

/**
 * The stage's network after `fit.finish.epochs` more, its momentum kept; `network` stays as it is. A schedule that is
 * constant up to a point and then falls makes a network that can be used of every point (Haegele et al. 2024), where a
 * schedule that falls within each stage would have growth start again from a network at rest. Departs: the paper's rate
 * falls in every stage. @returns null where the experiment asks for none
 */
export async function finishStage(
  session: Session,
  network: Network,
  stage: number,
): Promise<Finished | null> {
  const { spec, control } = session;
  if (finishOf(spec.fit, stage, true).epochs === 0) return null;
  const own: RunControl = {
    ...control,
    onEvent: control.onEvent && ((event) => control.onEvent?.({ ...event, stage })),
  };
  const branch = finishSpec(spec, stage);
  const rateFactors = await ratesByAge(session, network.graph, stage);
  const { epochs, evaluation, validation, seconds } = await trainNetwork(
    branch,
    async () => ({
      // The images belong to the run, so they are not disposed of.
      session: { ...session, rateFactors, spec: branch, control: own, [Symbol.dispose]: () => undefined },
      start: await copyOf(network),
    }),
    own,
  );
  return {
    network: await loadNetwork(branch.output, { device: spec.device }),
    ...{ epochs, evaluation, validation, seconds },
  };
}
