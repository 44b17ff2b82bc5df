// An independent, naive float64 forward pass, and surgery applied by the letter of program.ts. Written from docs/reference.md, without the op table.
import { expect } from 'vitest';
import { isSplitgrowError } from '../lib/errors.js';
import type { Graph, GraphNode } from '../lib/graph/ir.js';
import type { Surgery } from '../lib/graph/program.js';

/** mulberry32: a small seeded generator, uniform in [0, 1). */
export function randomOf(seed: number): () => number {
  let state = (seed * 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}
export type Weights = ReadonlyMap<string, Tensor>;

export const size = (shape: readonly number[]): number => shape.reduce((n, s) => n * s, 1);
export const tensor = (shape: readonly number[], of: (i: number) => number): Tensor => ({
  shape,
  data: Float64Array.from({ length: size(shape) }, (_, i) => of(i)),
});

/** |got - want| <= atol + rtol |want|, everywhere. */
export function assertClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  { rtol, atol, note = '' }: { readonly rtol: number; readonly atol: number; readonly note?: string },
): void {
  expect(got.length, note).toBe(want.length);
  for (let i = 0; i < want.length; i += 1) {
    const [a, b] = [got[i] ?? Number.NaN, want[i] ?? Number.NaN];
    if (!(Math.abs(a - b) <= atol + rtol * Math.abs(b)))
      expect.fail(`${note}: element ${i} is ${a}, want ${b}`);
  }
}

/** The code of what `act` throws; fails where it throws nothing or something else. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isSplitgrowError(error)) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

/** The message of what `act` throws. */
export function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing was thrown';
}

const ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  relu: (x) => Math.max(0, x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  swish: (x) => x / (1 + Math.exp(-x)),
  softplus: (x) => Math.log1p(Math.exp(x)),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  identity: (x) => x,
};

const dim = (t: Tensor, i: number): number => t.shape[i] ?? 1;
const at = (t: Tensor, i: number): number => t.data[i] ?? Number.NaN;

/** One image, [C, H, W]; weight [O, C / groups, k, k]. */
function conv(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  stride: number,
  padding: number,
  groups: number,
): Tensor {
  const [c, h, w, o, cg, k] = [
    dim(x, 0),
    dim(x, 1),
    dim(x, 2),
    dim(weight, 0),
    dim(weight, 1),
    dim(weight, 2),
  ];
  expect(c, 'channels that the weight expects').toBe(cg * groups);
  const [ho, wo] = [h, w].map((n) => Math.floor((n + 2 * padding - k) / stride) + 1) as [number, number];
  const out = new Float64Array(o * ho * wo);
  for (let f = 0; f < o; f += 1)
    for (let i = 0; i < ho; i += 1)
      for (let j = 0; j < wo; j += 1) {
        let sum = bias === undefined ? 0 : at(bias, f);
        for (let d = 0; d < cg; d += 1)
          for (let a = 0; a < k; a += 1)
            for (let b = 0; b < k; b += 1) {
              const [y, z] = [i * stride + a - padding, j * stride + b - padding];
              if (y < 0 || z < 0 || y >= h || z >= w) continue;
              const from = Math.floor(f / (o / groups)) * cg + d;
              sum += at(x, (from * h + y) * w + z) * at(weight, ((f * cg + d) * k + a) * k + b);
            }
        out[(f * ho + i) * wo + j] = sum;
      }
  return { shape: [o, ho, wo], data: out };
}

function pool(x: Tensor, node: GraphNode): Tensor {
  const kernel = Number(node.kernel);
  const [stride, padding] = [Number(node.stride ?? kernel), Number(node.padding ?? 0)];
  const [c, h, w] = [dim(x, 0), dim(x, 1), dim(x, 2)];
  const [ho, wo] = [h, w].map((n) => Math.floor((n + 2 * padding - kernel) / stride) + 1) as [number, number];
  return tensor([c, ho, wo], (n) => {
    const [f, i, j] = [Math.floor(n / (ho * wo)), Math.floor(n / wo) % ho, n % wo];
    const seen: number[] = [];
    for (let a = 0; a < kernel; a += 1)
      for (let b = 0; b < kernel; b += 1) {
        const [y, z] = [i * stride + a - padding, j * stride + b - padding];
        if (y >= 0 && z >= 0 && y < h && z < w) seen.push(at(x, (f * h + y) * w + z));
      }
    return node.op === 'max_pool' ? Math.max(...seen) : seen.reduce((s, v) => s + v, 0) / kernel ** 2;
  });
}

/** What flows out of every node for one image, dropout and batch norm in evaluation mode. */
export function forward(graph: Graph, weights: Weights, image: Tensor): ReadonlyMap<string, Tensor> {
  const values = new Map<string, Tensor>([['input', image]]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => values.get(id) ?? tensor([0], () => 0));
    const x = inputs[0] ?? image;
    const own = (name: string): Tensor | undefined => weights.get(`${node.id}.${name}`);
    const need = (name: string): Tensor => own(name) ?? expect.fail(`no tensor ${node.id}.${name}`);
    const [area, kernel] = [size(x.shape.slice(1)), Number(node.kernel)];
    const [stride, padding] = [Number(node.stride ?? 1), Number(node.padding ?? Math.floor(kernel / 2))];
    const run: Readonly<Record<string, () => Tensor>> = {
      conv2d: () => conv(x, need('weight'), own('bias'), stride, padding, Number(node.groups ?? 1)),
      depthwise_conv2d: () => conv(x, need('weight'), own('bias'), stride, padding, dim(x, 0)),
      linear: () => {
        const [w, bias] = [need('weight'), own('bias')];
        const n = x.data.length;
        expect(dim(w, 1), `${node.id} columns`).toBe(n);
        return tensor([dim(w, 0)], (o) =>
          x.data.reduce((s, v, i) => s + v * at(w, o * n + i), bias === undefined ? 0 : at(bias, o)),
        );
      },
      batch_norm: () => {
        const [w, b, m, v] = [need('weight'), need('bias'), need('running_mean'), need('running_var')];
        const eps = Number(node.eps ?? 1e-5);
        return tensor(x.shape, (i) => {
          const c = Math.floor(i / area);
          return ((at(x, i) - at(m, c)) / Math.sqrt(at(v, c) + eps)) * at(w, c) + at(b, c);
        });
      },
      activation: () => tensor(x.shape, (i) => (ACTIVATIONS[String(node.kind)] ?? Number)(at(x, i))),
      add: () => tensor(x.shape, (i) => inputs.reduce((s, t) => s + at(t, i), 0)),
      max_pool: () => pool(x, node),
      avg_pool: () => pool(x, node),
      global_avg_pool: () =>
        tensor(
          [dim(x, 0)],
          (c) => x.data.subarray(c * area, (c + 1) * area).reduce((s, v) => s + v, 0) / area,
        ),
      flatten: () => ({ shape: [x.data.length], data: x.data }),
      dropout: () => x,
    };
    values.set(node.id, (run[node.op] ?? expect.fail(`no op ${node.op}`))());
  }
  return values;
}

/** The rewritten tensors, exactly as TensorSurgery says; directions are [neurons, d] per layer. */
export function operate(weights: Weights, surgery: Surgery, directions: Weights, epsilon: number): Weights {
  const rewritten = new Map<string, Tensor>();
  for (const step of surgery) {
    let t = weights.get(step.name) ?? expect.fail(`surgery names ${step.name}, which is not a tensor`);
    const { rows, shift, columns, scales } = step;
    if (rows !== null) {
      const [row, old] = [size(t.shape.slice(1)), t];
      const direction = directions.get(step.direction ?? '');
      t = tensor([rows.length, ...t.shape.slice(1)], (i) => {
        const [j, rest] = [Math.floor(i / row), i % row];
        const from = (rows[j] ?? 0) * row + rest;
        return at(old, from) + (shift === null ? 0 : epsilon * (shift[j] ?? 0) * at(direction ?? old, from));
      });
    }
    if (columns !== null) {
      const [n, inner, old] = [dim(t, 1), size(t.shape.slice(2)), t];
      t = tensor([dim(t, 0), columns.length, ...t.shape.slice(2)], (i) => {
        const [o, j, rest] = [
          Math.floor(i / (columns.length * inner)),
          Math.floor(i / inner) % columns.length,
          i % inner,
        ];
        return at(old, (o * n + (columns[j] ?? 0)) * inner + rest) * (scales?.[j] ?? 1);
      });
    }
    rewritten.set(step.name, t);
  }
  return rewritten;
}
