// A small network with every kind of tie, and ways to break it.
export type Json = Record<string, unknown>;
export const EXAMPLE = {
  format: 'splitgrow-network/1',
  name: 'example',
  input: { shape: [3, 32, 32], mean: [0.49, 0.48, 0.45], std: [0.25, 0.24, 0.26] },
  nodes: [
    { id: 'stem', op: 'conv2d', inputs: ['input'], out: 8, kernel: 3, stride: 1, padding: 1, bias: false },
    { id: 'stem_bn', op: 'batch_norm', inputs: ['stem'], eps: 1e-5, momentum: 0.1 },
    { id: 'stem_act', op: 'activation', inputs: ['stem_bn'], kind: 'relu' },
    {
      id: 'b0_dw',
      op: 'depthwise_conv2d',
      inputs: ['stem_act'],
      kernel: 3,
      stride: 1,
      padding: 1,
      bias: false,
    },
    { id: 'pool', op: 'global_avg_pool', inputs: ['b0_dw'] },
    { id: 'classifier', op: 'linear', inputs: ['pool'], out: 10, bias: true },
  ],
  output: 'classifier',
};
export const copy = (): typeof EXAMPLE => structuredClone(EXAMPLE);
/** The example with fields of one node changed; `undefined` takes a field away. */
export const changed = (id: string, fields: Json): Json => {
  const nodes = copy().nodes.map((node) => {
    const next: Json = node.id === id ? { ...node, ...fields } : { ...node };
    return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
  });
  return { ...copy(), nodes };
};
/** The example with nodes put in before the pool, which then reads `last`. */
export const before = (extra: readonly Json[], last: string): Json => {
  const nodes = copy().nodes.map((node) => (node.id === 'pool' ? { ...node, inputs: [last] } : node));
  return { ...copy(), nodes: [...nodes.slice(0, 4), ...extra, ...nodes.slice(4)] };
};
export const map = (
  id: string,
  op: string,
  fields: Json = {},
  inputs: readonly unknown[] = ['b0_dw'],
): Json => ({
  id,
  op,
  inputs,
  ...fields,
});
export const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i += 1) value = [value];
  return value;
};

/** A chain of like convolutions on a square input. */
export function many(count: number, fields: Json, side: number): Json {
  const nodes = Array.from({ length: count }, (_, i) =>
    map(`c${i}`, 'conv2d', fields, [i === 0 ? 'input' : `c${i - 1}`]),
  );
  return { ...copy(), input: { shape: [1, side, side] }, nodes, output: `c${count - 1}` };
}

/** Rule by rule: what breaks it, the code, and words that the message must have. */
export type Refusal = readonly [rule: string, code: string, words: string, ...json: unknown[]];
