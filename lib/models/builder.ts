// Networks built in code, block by block, without writing nodes: `network({ ... }).conv(16).separable(32).head()`.
import { type ErrorCode, SplitgrowError } from '../errors.js';
import { parseGraph, shapes } from '../graph/check.js';
import { FORMAT, type Graph, type GraphNode, INPUT, type Value } from '../graph/ir.js';
import { samePadding } from '../graph/op-fields.js';
import { BLOCKS, type Block, batchNorm, conv, depthwise, type Join } from './blocks.js';
import type {
  BlockOptions,
  Branch,
  ConvOptions,
  DepthwiseOptions,
  LayerOptions,
  MapLayers,
  NetworkOptions,
  PoolOptions,
  ResidualOptions,
  VectorLayers,
} from './layers.js';
import { parseBlocks } from './notation.js';

/** What is built so far. */
interface State {
  readonly options: NetworkOptions;
  readonly nodes: readonly GraphNode[];
  readonly at: Join;
  /** Blocks so far: the next one's number. */
  readonly count: number;
}

const states = new WeakMap<object, State>();
const refuse = (text: string): SplitgrowError => new SplitgrowError('E_ARGUMENT', `network: ${text}`);

const activationOf = (state: State, own?: string): string => own ?? state.options.activation ?? 'relu';
const nameOf = ({ count }: State, name?: string): string => name ?? (count === 0 ? 'stem' : `b${count}`);

/** The state with a block's nodes behind it. */
function after(state: State, nodes: readonly GraphNode[], width = state.at.width): State {
  const id = nodes.at(-1)?.id ?? state.at.id;
  return { ...state, nodes: [...state.nodes, ...nodes], at: { id, width }, count: state.count + 1 };
}

function withBlock(state: State, block: Block, { name, activation, shortcut }: Styled = {}): State {
  const style = { activation: activationOf(state, activation), shortcut: shortcut ?? 'identity' };
  return after(state, BLOCKS[block.kind](nameOf(state, name), state.at, block, style), block.width);
}
type Styled = BlockOptions & { readonly shortcut?: 'identity' | 'conv' | undefined };

/** A layer with what comes behind it: batch norm, which makes a bias needless, and activation. */
function dressed(state: State, layer: GraphNode, options: LayerOptions): readonly GraphNode[] {
  const { norm = true, activation } = options;
  const behind: GraphNode[] = norm ? [layer, batchNorm(layer.id)] : [{ ...layer, bias: true }];
  const last = behind.at(-1)?.id ?? layer.id;
  if (activation === null) return behind;
  const kind = activationOf(state, activation);
  return [...behind, { id: `${layer.id}_act`, op: 'activation', inputs: [last], kind }];
}

/** `stride`, `padding` and the like where they are given, over what a layer has. */
function given(layer: GraphNode, fields: Readonly<Record<string, number | boolean | undefined>>): GraphNode {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...layer, ...(Object.fromEntries(set) as Readonly<Record<string, number | boolean>>) };
}

function withConv(state: State, width: number, options: ConvOptions = {}): State {
  const { kernel = 3, stride, padding, groups, split, name } = options;
  const layer = given(conv(nameOf(state, name), state.at.id, width, kernel, stride), {
    padding,
    groups,
    split,
  });
  return after(state, dressed(state, layer, options), width);
}

function withDepthwise(state: State, options: DepthwiseOptions = {}): State {
  const { kernel = 3, stride = 1, padding = samePadding(kernel), name } = options;
  const layer = given(depthwise(nameOf(state, name), state.at.id, stride), { kernel, padding });
  return after(state, dressed(state, layer, options));
}

function withPool(state: State, op: 'max_pool' | 'avg_pool', { name, ...fields }: PoolOptions): State {
  const node = { id: name ?? `${nameOf(state)}_pool`, op, inputs: [state.at.id] };
  return after(state, [given(node, fields)]);
}

function documentOf({ options, nodes }: State, output: string): unknown {
  const { input: shape, mean, std, name = 'network' } = options;
  return {
    format: FORMAT,
    name,
    input: { shape, ...(mean && { mean }), ...(std && { std }) },
    nodes,
    output,
  };
}

function valueAt(state: State): Value | undefined {
  return shapes(documentOf(state, state.at.id) as Graph).get(state.at.id);
}

/** What a branch adds, built from the state; the number of blocks counts on. */
function branched(state: State, branch: Branch): State {
  const built = states.get(branch(maps(state)));
  const isBehind = built !== undefined && state.nodes.every((node, i) => built.nodes[i] === node);
  if (isBehind) return built;
  throw refuse('expected a branch to return the layers that it was given, with others behind them');
}

function joined(state: State, ends: readonly State[], options: ResidualOptions = {}): State {
  const { name = nameOf(state), activation } = options;
  const last = ends.at(-1) ?? state;
  const add: GraphNode = { id: `${name}_add`, op: 'add', inputs: ends.map(({ at }) => at.id) };
  const kind = activationOf(state, activation ?? undefined);
  const act: GraphNode = { id: `${name}_act`, op: 'activation', inputs: [add.id], kind };
  return after(last, activation === null ? [add] : [add, act]);
}

/** Branches one after the other, each from the same layer. */
function withSum(state: State, branches: readonly Branch[], options?: ResidualOptions): State {
  const ends: State[] = [];
  let last = { ...state, count: state.count + 1 };
  for (const branch of branches) {
    last = branched({ ...last, at: state.at }, branch);
    ends.push(last);
  }
  return joined(state, ends, options);
}

function withResidual(state: State, branch: Branch, options?: ResidualOptions): State {
  const end = branched({ ...state, count: state.count + 1 }, branch);
  const [from, to] = [valueAt(state)?.size, valueAt(end)?.size];
  if (state.at.width === end.at.width && String(from) === String(to)) {
    return joined(state, [end, { ...end, at: state.at }], options);
  }
  const [height = 1, width = 1] = from ?? [];
  const most = Math.max(height, width);
  const stride = Array.from({ length: most }, (_, i) => i + 1).find(
    (s) => String([height, width].map((n) => Math.floor((n - 1) / s) + 1)) === String(to),
  );
  if (stride === undefined) {
    throw refuse(
      `residual: no stride of a 1x1 convolution leads from [${from}] to [${to}], the branch's size`,
    );
  }
  const name = `${options?.name ?? nameOf(state)}_shortcut`;
  const shortcut = { name, kernel: 1, stride, activation: null } as const;
  return joined(state, [end, withConv({ ...end, at: state.at }, end.at.width, shortcut)], options);
}

function withText(state: State, text: string): State {
  const code: ErrorCode = 'E_ARGUMENT';
  return parseBlocks(text, code).reduce((so, block) => withBlock(so, block), state);
}

function vectors(state: State): VectorLayers {
  return {
    linear: (width, { name = nameOf(state), activation } = {}) => {
      const layer: GraphNode = { id: name, op: 'linear', inputs: [state.at.id], out: width, bias: true };
      return vectors(after(state, dressed(state, layer, { norm: false, activation }), width));
    },
    dropout: (p) => vectors(withDropout(state, p)),
    classifier: () => {
      const last = { id: 'classifier', op: 'linear', inputs: [state.at.id], bias: true };
      const end = after(state, [{ ...last, out: state.options.classes }]);
      return parseGraph(documentOf(end, 'classifier'));
    },
  };
}

function withDropout(state: State, p: number): State {
  return after(state, [{ id: `${nameOf(state)}_dropout`, op: 'dropout', inputs: [state.at.id], p }]);
}

function single(state: State, op: string, id: string): VectorLayers {
  return vectors(after(state, [{ id, op, inputs: [state.at.id] }]));
}

function maps(state: State): MapLayers {
  const block =
    (kind: Block['kind']) =>
    (width: number, options: Partial<Omit<Block, 'kind' | 'width'>> & Styled = {}): MapLayers => {
      const { stride = 1, expansion = 6, hidden } = options;
      return maps(
        withBlock(
          state,
          { kind, width, stride, expansion, ...(hidden !== undefined && { hidden }) },
          options,
        ),
      );
    };
  const layers: MapLayers = {
    conv: (width, options) => maps(withConv(state, width, options)),
    depthwise: (options) => maps(withDepthwise(state, options)),
    separable: block('ds'),
    invertedResidual: (width, { expansion = 6, hidden, stride = 1, ...style } = {}) =>
      block('ir')(width, { ...style, expansion, stride, ...(hidden !== undefined && { hidden }) }),
    basic: block('basic'),
    bottleneck: block('bottle'),
    blocks: (text) => maps(withText(state, text)),
    residual: (branch, options) => maps(withResidual(state, branch, options)),
    sum: (branches, options) => maps(withSum(state, branches, options)),
    maxPool: (options) => maps(withPool(state, 'max_pool', options)),
    avgPool: (options) => maps(withPool(state, 'avg_pool', options)),
    dropout: (p) => maps(withDropout(state, p)),
    globalPool: () => single(state, 'global_avg_pool', 'pool'),
    flatten: () => single(state, 'flatten', 'flatten'),
    head: () => single(state, 'global_avg_pool', 'pool').classifier(),
  };
  states.set(layers, state);
  return layers;
}

/**
 * Begins a network, to be built layer by layer; nothing of it is checked before the end, where `parseGraph` checks it all.
 *
 * ```js
 * const graph = network({ input: [3, 32, 32], classes: 10 }).conv(16).separable(32, { stride: 2 }).head();
 * ```
 */
export function network(options: NetworkOptions): MapLayers {
  return maps({ options, nodes: [], at: { id: INPUT, width: options.input[0] }, count: 0 });
}
