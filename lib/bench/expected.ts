// How long a step is expected to take, before it is tried: from the training step of the same network and the cost model of `auto`.
import { shapes } from '../graph/check.js';
import { macs } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { WORK } from '../split/indices/auto.js';
import type { StepName } from './documents.js';
import { summedChains } from './networks.js';

/** A step with autodiff over a training step. */
const AUTODIFF = 3;
/** Bytes of a float32. */
const FLOAT = 4;

export interface Minibatch {
  readonly batch: number;
  /** Bytes of the exact method's sums: more of them take further sweeps, each with a pass of its own. */
  readonly memoryLimit: number;
}

/** Work of one minibatch of each step in units of WORK, over that of a training step. */
export function workRatios(
  graph: Graph,
  { batch, memoryLimit }: Minibatch,
): Readonly<Record<StepName, number>> {
  const values = shapes(graph);
  const training = WORK.pass * 3 * batch * macs(graph);
  let [matrices, solver, descent, bytes] = [0, 0, 0, 0];
  for (const { id, neurons: n, dimension: d } of summedChains(graph)) {
    const [height, width] = values.get(id)?.size ?? [1, 1];
    const seen = batch * height * width;
    matrices += WORK.matrices * seen * n * d ** 2;
    solver += WORK.eigenSquare * n * d ** 2 + WORK.eigenCube * n * d ** 3;
    descent += WORK.descent * 2 * seen * n * d;
    bytes += FLOAT * n * d ** 2;
  }
  const sums = Math.max(1, Math.ceil(bytes / memoryLimit)) * training + matrices;
  return {
    trainStep: 1,
    rayleighStep: (training + descent) / training,
    auxiliaryStep: AUTODIFF,
    exactStep: sums / training,
    // The matrices come first, and are not timed.
    eigensolver: (sums + solver) / training,
  };
}

/** What earlier networks have shown: nothing at first. */
export interface Experience {
  /** Seconds of a training step over its MACs. */
  trainingPace: number | null;
  /** How much longer each step took than its work says. */
  readonly over: Map<StepName, number>;
}

export function noExperience(): Experience {
  return { trainingPace: null, over: new Map() };
}

export interface Expectation {
  /** Seconds that one time of a step will take, as far as is known: 0 where nothing is. */
  readonly of: (step: StepName) => number;
  readonly learn: (step: StepName, seconds: number) => void;
}

/** How far the cost model may be off before a step was seen once: so much is taken off what it says. */
const DOUBT = 3;

/** Expectations for one network, which learn from what its steps take and pass it on to the next. */
export function expectationOf(graph: Graph, minibatch: Minibatch, experience: Experience): Expectation {
  const ratios = workRatios(graph, minibatch);
  const work = minibatch.batch * macs(graph);
  let training: number | null = null;
  return {
    of: (step) =>
      step === 'trainStep'
        ? (experience.trainingPace ?? 0) * work
        : (training ?? 0) * ratios[step] * (experience.over.get(step) ?? 1 / DOUBT),
    learn: (step, seconds) => {
      if (step === 'trainStep') {
        training = seconds;
        experience.trainingPace = seconds / work;
      } else if (training !== null) experience.over.set(step, seconds / (training * ratios[step]));
    },
  };
}
