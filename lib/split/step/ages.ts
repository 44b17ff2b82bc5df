// Rates by age: which stage each weight was born at, and by what its rate is multiplied.
import { groupsByNode } from '../../graph/channels.js';
import { inputsOf, shapes } from '../../graph/check.js';
import { row } from '../../graph/fields.js';
import { type Graph, INPUT, type NodeId, type Parameter } from '../../graph/ir.js';
import { opOf } from '../../graph/ops.js';
import type { TensorData, TensorMap } from '../../native/face.js';
import { floatsOf } from './neuron-weights.js';

/** Channels of every layer that makes some, at one stage. */
export type Widths = Readonly<Record<NodeId, number>>;

/** Frobenius norms by `<node id>.weight`. */
export type Norms = Readonly<Record<string, number>>;

/** Norms of newborn weights, kept by the step that made them. */
export interface BirthNorms {
  /** Of each layer's weights as the run began; in the record of the first split alone. */
  readonly beginning?: Norms;
  /** Of what the split added to each layer's weights, right after it; layers that got nothing are left out. */
  readonly born: Norms;
}

/** A layer's weight: axis 0 follows its own channels, axis 1 those of its input, or neither. */
interface Weight {
  readonly name: string;
  readonly axes: Parameter['axes'];
  /** Birth stages along axis 0 and axis 1. */
  readonly rows: Uint16Array;
  readonly columns: Uint16Array;
}

/**
 * Of each channel the first stage that had it. Growth keeps channels in their places and puts new ones behind them, so
 * widths say it: of 3 channels, then 4, then 6 the births are 0 0 0 1 2 2. A parent stays as old as it was.
 */
export function channelBirths(now: number, before: readonly number[]): Uint16Array {
  return Uint16Array.from({ length: now }, (_, channel) => {
    const born = before.findIndex((width) => channel < width);
    return born < 0 ? before.length : born;
  });
}

/** The weights of all layers; `before`: the widths of every earlier stage, in order. */
function weightsByBirth(graph: Graph, before: readonly Widths[]): readonly Weight[] {
  const values = shapes(graph);
  const groups = groupsByNode(graph);
  const births = (axis: Parameter['axes'][number] | undefined, id: NodeId): Uint16Array => {
    const group = id === INPUT ? undefined : groups.get(id);
    const size = axis?.size ?? 1;
    if (group === undefined || axis === undefined || axis.role === 'none') return new Uint16Array(size);
    const channels = channelBirths(
      group.neurons,
      before.map((widths) => row(widths, group.id) ?? 0),
    );
    // A channel behind a flatten has several features side by side.
    const block = size / group.neurons;
    return Uint16Array.from({ length: size }, (_, feature) => channels[Math.floor(feature / block)] ?? 0);
  };
  return graph.nodes.flatMap((node) => {
    const [input = INPUT] = node.inputs;
    return opOf(node)
      .parameters(node, inputsOf(node, values))
      .filter(({ axes, isTrained }) => isTrained && axes.length > 1)
      .map(
        ({ name, axes }): Weight => ({
          name: `${node.id}.${name}`,
          axes,
          rows: births(axes[0], node.id),
          columns: births(axes[1], input),
        }),
      );
  });
}

/** Birth of every entry, row-major: the younger of its row and its column. */
function entryBirths({ axes, rows, columns }: Weight): Uint16Array {
  const window = axes.slice(2).reduce((size, axis) => size * axis.size, 1);
  const births = new Uint16Array(rows.length * columns.length * window);
  for (let i = 0; i < births.length; i += 1) {
    const [r, c] = [
      Math.floor(i / (columns.length * window)),
      Math.floor(i / window) % columns.length,
    ] as const;
    births[i] = Math.max(rows[r] ?? 0, columns[c] ?? 0);
  }
  return births;
}

/** Norms of the parts born at `stage`. A part that is not there has none. */
export function normsBornAt(
  graph: Graph,
  weights: TensorMap,
  before: readonly Widths[],
  stage = before.length,
): Norms {
  return Object.fromEntries(
    weightsByBirth(graph, before).flatMap((weight): [string, number][] => {
      const tensor = weights.get(weight.name);
      if (tensor === undefined) return [];
      const values = floatsOf(tensor);
      let [sum, isThere] = [0, false];
      entryBirths(weight).forEach((birth, i) => {
        if (birth !== stage) return;
        isThere = true;
        sum += (values[i] ?? 0) ** 2;
      });
      return isThere ? [[weight.name, Math.sqrt(sum)]] : [];
    }),
  );
}

/**
 * Factors on the rate by age, float32, of each layer's weights that have newborn parts: an entry born at stage k has
 * |part born at stage k, at its birth| / |part born at stage 0, at the beginning|, in Frobenius norms of one layer's weights;
 * biases and batch norms keep the rate (Yuan et al. 2023, "Accelerated Training via Incrementally Growing Neural Networks
 * using Variance Transfer and Learning Rate Adaptation", section 3.3). Where one of the two norms is 0 the factor is 1:
 * weights that begin at 0 would stay there.
 *
 * `before`: widths of every earlier stage; `births`: the norms of every split so far, the first with those of the beginning.
 */
export function rateFactors(
  graph: Graph,
  before: readonly Widths[],
  births: readonly BirthNorms[],
): readonly (readonly [string, TensorData])[] {
  const beginning = births[0]?.beginning ?? {};
  return weightsByBirth(graph, before).flatMap((weight): (readonly [string, TensorData])[] => {
    const first = row(beginning, weight.name) ?? 0;
    const factors = [
      1,
      ...births.map(({ born }) => {
        const norm = row(born, weight.name) ?? 0;
        return first > 0 && norm > 0 ? norm / first : 1;
      }),
    ];
    const values = Float32Array.from(entryBirths(weight), (birth) => factors[birth] ?? 1);
    if (values.every((value) => value === 1)) return [];
    const shape = weight.axes.map(({ size }) => size);
    return [[weight.name, { dtype: 'float32', shape, data: new Uint8Array(values.buffer) }]];
  });
}
