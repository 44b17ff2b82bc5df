// Members of experiments that are refused, from the parser's own tests: what a schema can say of them, and what it cannot.

const network = (fields: object) => ({ network: { preset: 'mobilenet_cifar10', ...fields } });
const data = (fields: object) => ({ data: { name: 'cifar10', ...fields } });
const images = (fields: object) => ({ data: { name: 'image-folder', ...fields } });

export const EXPERIMENT_REFUSALS: readonly unknown[] = [
  // Unknown fields.
  ...[{ fit: { epoch: 3 } }, { splitting: { growthRato: 1 } }, { sed: 1 }, { constructor: 1 }],
  { fit: { optimizer: { momentun: 0.5 } } },
  { network: { preset: 'mobilenet_v1', blocks: 3 } },
  { fit: { schedule: { kind: 'cosine', factor: 0.1 } } },
  ...[{ network: { directory: 'a', blocks: 1 } }, { data: { file: 'a', root: 'b' } }],
  { network: { graph: { format: 'splitgrow-network/1' } } },
  ...[{ stop: { costs: { macs: 3 } } }, { stop: { costs: { params: 0 } } }],
  ...[images({ cropPadding: 4 }), images({ workrs: 4 })],
  // Unknown choices.
  ...[{ network: { preset: 'mobilenet_cifar1O' } }, { data: { name: 'cifar-10' } }],
  ...[{ fit: { schedule: { kind: 'cosin' } } }, { splitting: { strategy: '-' } }],
  ...[
    { splitting: { epsilon: 'linesearch' } },
    network({ activation: 'rely' }),
    data({ augment: ['shift'] }),
  ],
  ...[images({ augment: ['crop'] }), images({ name: 'image-foldr' })],
  // Types and ranges.
  ...[{ fit: { epochs: '3' } }, { fit: { batch: 2.5 } }, { fit: { batch: 0 } }, network({ width: 0.5 })],
  ...[{ name: undefined }, { network: undefined }, [], null, 'x'],
  ...[images({ std: [1, 1] }), images({ std: [1, 1, 0] })],
  // One field with another.
  { fit: { optimizer: { nesterov: true, momentum: 0 } } },
  ...[data({ labels: 'fine' }), images({ root: 'A', store: 'B' })],
  images({ augment: ['resized-crop', 'shift'] }),
  { recipe: 'grwth' },
  { fit: { finish: { epochs: 2 } } },
  { fit: { finish: { epochs: 2 }, schedule: { kind: 'cosine' } } },
  { splitting: { strategy: 'vanilla', rounding: { kind: 'threshold' } } },
  { splitting: { cost: ['macs', 'params'], costEstimate: { estimate: 'own-layer' } } },
  { splitting: { cost: 'params', costEstimate: { estimate: 'own-layer' } } },
];

export const COMPARE_REFUSALS: readonly unknown[] = [
  ...[['prune-bm'], [{ method: 'morfnet' }], [{ method: 'prune-bn', strenght: 1 }]],
  ['scratch', { method: 'retrain', lambdas: [1] }],
  ...[[{ method: 'scratch', at: 'end' }], [{ method: 'morphnet', base: 'wide' }]],
  [{ method: 'prune-l1', at: 'last', targets: [1] }],
  ...[[{ method: 'scratch', targets: [1] }], [{ method: 'prune-l1', targets: [] }]],
  [{ method: 'prune-l1', baseMultiplier: 0.5 }],
  ['scratch', { method: 'prune-bn', base: 'grown', baseMultiplier: 2 }],
  [{ method: 'resolution-multiplier', base: 'grown', baseMultiplier: 1, at: 'stages' }],
  ...[[3], 'scratch'],
];

/** Refused by the parser alone. */
export const LOOSER: readonly object[] = [
  // Names may be of the caller's own costs and strategies.
  ...[{ splitting: { strategy: 'energy' } }, { splitting: { cost: 'mac' } }],
  { fit: { epochs: 2, schedule: { kind: 'cosine', warmup: 2 } } },
  { fit: { epochs: 2, schedule: { kind: 'wsd', warmup: 1, decay: 2 } } },
  { fit: { epochs: 2, average: { warmup: 2 } } },
  images({ shortSide: 100 }),
  { fit: { shuffle: true }, data: { name: 'cifar10', shuffle: false } },
];
