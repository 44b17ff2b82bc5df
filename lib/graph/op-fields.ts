// The fields of the ops with their limits, defaults and meaning; rows of the op table (ops.ts) take theirs from here.
import type { Field } from './fields.js';
import type { GraphNode } from './ir.js';

/** Widest layer that a network file may ask for. */
export const MAX_WIDTH = 65_536;
const MAX_KERNEL = 1_024;

const integer = (min: number, max: number, about: string): Field => ({ kind: 'integer', min, max, about });
/** A kernel has no default: every node with a window has one. */
const kernelOf = (node: GraphNode): number => Number(node.kernel);

/** Zeros on every side that keep the size, at stride 1 and for odd kernels. */
export function samePadding(kernel: number): number {
  return Math.floor(kernel / 2);
}

/** By name. */
type Fields = Readonly<Record<string, Field>>;

const OUT = integer(1, MAX_WIDTH, 'channels or features that it makes: its neurons');
const KERNEL = integer(1, MAX_KERNEL, 'side of the square window');
const STRIDE: Field = { ...integer(1, MAX_KERNEL, 'step of the window'), default: 1 };
const SAME: Field = {
  ...integer(0, MAX_KERNEL, 'zeros on every side; left out: half the kernel, rounded down'),
  default: (node) => samePadding(kernelOf(node)),
};
const SPLIT: Field = { kind: 'boolean', default: true, about: 'false: its neurons are never split' };
const bias = (isDefault: boolean): Field => ({
  kind: 'boolean',
  default: isDefault,
  about: 'whether a bias is added',
});

export const CONV2D: Fields = {
  out: OUT,
  kernel: KERNEL,
  stride: STRIDE,
  padding: SAME,
  groups: {
    ...integer(1, MAX_WIDTH, 'parts that input and output channels are divided into'),
    default: 1,
  },
  bias: bias(false),
  split: SPLIT,
};
export const DEPTHWISE: Fields = { kernel: KERNEL, stride: STRIDE, padding: SAME, bias: bias(false) };
export const LINEAR: Fields = { out: OUT, bias: bias(true), split: SPLIT };
export const BATCH_NORM = {
  eps: { kind: 'number', min: 1e-12, max: 1, default: 1e-5, about: 'added to the variance' },
  momentum: {
    kind: 'number',
    min: 0,
    max: 1,
    default: 0.1,
    about: 'share of a minibatch in the running statistics',
  },
} as const satisfies Fields;
export const POOL: Fields = {
  kernel: KERNEL,
  stride: { ...integer(1, MAX_KERNEL, 'step of the window; left out: the kernel'), default: kernelOf },
  padding: { ...integer(0, MAX_KERNEL, 'on every side, at most half of the kernel'), default: 0 },
};
export const DROPOUT: Fields = {
  p: { kind: 'number', min: 0, max: 1, below: 1, about: 'share of values set to 0 in training' },
};
