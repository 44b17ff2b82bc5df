// What a step is expected to take before it is tried: time, from the training step of the same network and the cost model of `auto`;
// memory, from the sizes of values and matrices, because a process that is killed leaves no reason behind.
import { shapes } from '../graph/check.js';
import { macs } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import type { Device } from '../native/face.js';
import { passWork, WORK } from '../split/indices/auto.js';
import { bytes } from '../statistics/format.js';
import type { StepName } from './documents.js';
import { summedChains, valueBytes } from './networks.js';

/** A step with autodiff over a training step. */
const AUTODIFF_TIME = 3;
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
  const [pass, training] = [batch * passWork(graph, 2), batch * passWork(graph, 3)];
  let [matrices, solver, descent, bytes] = [0, 0, 0, 0];
  for (const { id, neurons: n, dimension: d } of summedChains(graph)) {
    const [height, width] = values.get(id)?.size ?? [1, 1];
    const seen = batch * height * width;
    matrices += WORK.matrices * seen * n * d ** 2;
    solver += WORK.eigenSquare * n * d ** 2 + WORK.eigenCube * n * d ** 3;
    descent += 2 * seen * n * d;
    bytes += FLOAT * n * d ** 2;
  }
  const sums = Math.max(1, Math.ceil(bytes / memoryLimit)) * pass + matrices;
  return {
    trainStep: 1,
    rayleighStep: (pass + descent) / training,
    auxiliaryStep: AUTODIFF_TIME,
    exactStep: sums / training,
    // The matrices come first, and are not timed.
    eigensolver: (sums + solver) / training,
  };
}

/** What earlier networks have shown. */
export interface Experience {
  /** Seconds of a training step over its MACs. */
  trainingPace: number | null;
  /** How much longer each step took than its work says. */
  readonly over: Map<StepName, number>;
}

export function noExperience(): Experience {
  return { trainingPace: null, over: new Map() };
}

interface Expectation {
  /** Seconds that one time of a step will take, as far as is known: 0 where nothing is. */
  readonly of: (step: StepName) => number;
  readonly learn: (step: StepName, seconds: number) => void;
}

/** Factor by which the cost model may be wrong before a step has been seen once. What it says is divided by it. */
export const DOUBT = 3;

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

/** A step's peak over the bytes of all values: measured 0.67 for training and the closed form, 1.85 with autodiff. */
const PASS = 1;
const AUTODIFF = 2.5;
/**
 * The eigensolver's working memory, over float32 matrices. On a CPU each thread holds eight halves of matrices in float64;
 * a GPU holds copies of all matrices of a layer, two in float32 and three in float64.
 */
const SOLVER = 8;

export interface Place {
  readonly batch: number;
  readonly memoryLimit: number;
  readonly threads: number;
  readonly device: Device;
}

/** Tensor memory that can still be taken on this machine; unknown on a GPU, where LibTorch refuses by itself. */
function availableBytes(device: Device): number {
  return device === 'cpu' ? process.availableMemory() : Number.POSITIVE_INFINITY;
}

/** Bytes of one neuron's matrix in the widest layer, with the copies that threads may keep of it. */
function leastExactBytes(graph: Graph, { threads, device }: Place): number {
  const largest = Math.max(0, ...summedChains(graph).map(({ dimension }) => dimension));
  return (device === 'cpu' ? threads : 1) * FLOAT * largest ** 2;
}

/** Expected peaks of the kinds of step. */
function expectedBytes(
  graph: Graph,
  place: Place,
): { readonly pass: number; readonly auxiliary: number; readonly exact: number } {
  const { batch, memoryLimit, device } = place;
  const values = valueBytes(graph, batch);
  const layers = summedChains(graph).map(({ neurons, dimension }) => FLOAT * neurons * dimension ** 2);
  const sums = layers.reduce((sum, one) => sum + one, 0);
  const solved =
    device === 'cpu' ? leastExactBytes(graph, place) : Math.min(Math.max(0, ...layers), memoryLimit);
  return {
    pass: PASS * values,
    auxiliary: AUTODIFF * values,
    exact: PASS * values + Math.min(sums, memoryLimit) + SOLVER * solved,
  };
}

/** The reason to leave a step out, or null. */
function tooLarge(expected: number, available: number): string | null {
  if (expected <= available) return null;
  return `memory: it would hold about ${bytes(expected)}, and ${bytes(available)} are free`;
}

/** The reason to leave the exact method out for its limit, or null. */
export function overLimit(graph: Graph, place: Place): string | null {
  const least = leastExactBytes(graph, place);
  if (least <= place.memoryLimit) return null;
  return `memory: the matrix of one neuron takes ${bytes(least)}, the limit is ${bytes(place.memoryLimit)}`;
}

/** The reason why a step does not fit, or null. */
export function memoryReason(step: StepName, graph: Graph, place: Place): string | null {
  const expected = expectedBytes(graph, place);
  const available = availableBytes(place.device);
  if (step === 'auxiliaryStep') return tooLarge(expected.auxiliary, available);
  if (step === 'exactStep' || step === 'eigensolver')
    return overLimit(graph, place) ?? tooLarge(expected.exact, available);
  return tooLarge(expected.pass, available);
}
