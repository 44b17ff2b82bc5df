// What a step is expected to hold, before it is tried: a process that is killed leaves no reason behind.

import type { Graph } from '../graph/ir.js';
import type { Device } from '../native/core.js';
import { bytes } from '../statistics/format.js';
import type { StepName } from './documents.js';
import { summedChains, valueBytes } from './networks.js';

const FLOAT = 4;
/** A step's peak over the bytes of all values: measured 0.67 for training and the closed form, 1.85 with autodiff. */
const PASS = 1;
const AUTODIFF = 2.5;
/** The eigensolver's working copies (two float32, three float64) over the sums of one layer. */
const SOLVER = 8;

export interface Place {
  readonly batch: number;
  readonly memoryLimit: number;
  readonly threads: number;
  readonly device: Device;
}

/** Tensor memory that can still be taken on this machine; unknown on a GPU, where LibTorch refuses by itself. */
export function availableBytes(device: Device): number {
  return device === 'cpu' ? process.availableMemory() : Number.POSITIVE_INFINITY;
}

/** Bytes of one neuron's matrix in the widest layer, with the copies that threads may keep of it. */
export function leastExactBytes(graph: Graph, { threads, device }: Place): number {
  const largest = Math.max(0, ...summedChains(graph).map(({ dimension }) => dimension));
  return (device === 'cpu' ? threads : 1) * FLOAT * largest ** 2;
}

/** Expected peaks of the kinds of step. */
export function expectedBytes(
  graph: Graph,
  { batch, memoryLimit }: Place,
): { readonly pass: number; readonly auxiliary: number; readonly exact: number } {
  const values = valueBytes(graph, batch);
  const layers = summedChains(graph).map(({ neurons, dimension }) => FLOAT * neurons * dimension ** 2);
  const sums = layers.reduce((sum, one) => sum + one, 0);
  const block = Math.min(Math.max(0, ...layers), memoryLimit);
  return {
    pass: PASS * values,
    auxiliary: AUTODIFF * values,
    exact: PASS * values + Math.min(sums, memoryLimit) + SOLVER * block,
  };
}

/** The reason to leave a step out, or null. */
export function tooLarge(expected: number, available: number): string | null {
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
