// The recipes that `npm run bench -- recipes` tries: what each changes, with its source. Each gets the same total compute.

/** What all have in common: the network and the images of the figures at `cpu` scale, validation images apart. */
export const COMMON = {
  network: { preset: 'mobilenet_cifar10', blocks: 3, width: 8, activation: 'silu' },
  data: { name: 'cifar10', trainImages: 20_000, testImages: 100, validation: 10_000 },
  fit: { batch: 64 },
  splitting: { method: 'exact', images: 512 },
  threads: 1,
};

/** The most MACs that the last network may have. */
export const LAST_MACS = 907_000;

/** Of a recipe's runs. */
export const folderOf = (name) => name.replace(/[^a-z0-9.]+/gi, '-');

const half = (epochs) => ({ ratio: 0.5, epochs });
/** What the others change: growth at rate 0.3 with twins apart, epochs [3, 3, 3] and then what is left of the compute. */
const GROWTH = {
  ...half([3, 3, 3]),
  decay: 0.33,
  set: {
    'fit.optimizer.learningRate': 0.3,
    'splitting.epsilon': 0.01,
    'splitting.outgoingDelta': 0.4,
    'splitting.rescale': 1,
  },
};
export const variant = (name, source, change = {}, more = {}) => ({
  ...GROWTH,
  ...more,
  ...{ name, source },
  set: { ...GROWTH.set, ...change },
});

/**
 * hasMore: gets `--more` seeds: the default was chosen among these, or the index is held against the cost by them.
 * isAgain: its architectures are trained from scratch too, at every rate of `--again`. ratio: growth a stage. epochs: of the
 * stages before the last, the last entry for all others. decay: share of the last stage's epochs in which the rate falls to 0.
 */
export const RECIPES = [
  {
    ...half([3, 3, 3]),
    ...{ name: 'before', source: 'rate 0.1, step 0.5, rescale 0.5: the figures until now', decay: 0.33 },
    set: {
      'fit.optimizer.learningRate': 0.1,
      'splitting.epsilon': 0.5,
      'splitting.rescale': 0.5,
      'splitting.images': 2048,
    },
  },
  variant(
    'rate 0.3',
    'outgoing weights 1/2 +- 0.4, step 0.01, rescale 1, 512 images; each row below changes this one',
    {},
    { hasMore: true, isAgain: true },
  ),
  variant(
    'rate 0.4',
    'the rate; chosen: the recipe `growth`',
    { 'fit.optimizer.learningRate': 0.4 },
    { hasMore: true },
  ),
  ...[0.2, 0.6].map((rate) =>
    variant(`rate ${rate}`, 'the rate', { 'fit.optimizer.learningRate': rate }, { hasMore: true }),
  ),
  variant('step 0.5, no delta', 'twins parted by the step alone', {
    'splitting.epsilon': 0.5,
    'splitting.outgoingDelta': 0,
  }),
  variant('no rescale', 'offspring keep their length (paper)', { 'splitting.rescale': 0 }),
  variant('epochs 1, 1, 1', 'short stages first', {}, half([1, 1, 1])),
  variant('rate 0.2, epochs 1, 1, 1', 'both', { 'fit.optimizer.learningRate': 0.2 }, half([1, 1, 1])),
  variant('epochs 1, 2, 3', 'epochs that grow with the network', {}, half([1, 2, 3])),
  variant(
    'ratio 0.1 each epoch',
    'many small growths (AutoGrow, arXiv 1906.02909)',
    {},
    { ratio: 0.1, epochs: [1], hasMore: true },
  ),
  variant('decay 0.5', 'a longer decay (FRAGrow: a sixth to a half)', {}, { decay: 0.5 }),
  variant('decay 0.17', 'a shorter decay', {}, { decay: 0.17 }),
  variant('shrink 0.7, noise 0.01', 'shrink and perturb (Ash and Adams 2020)', {
    'splitting.shrink': 0.7,
    'splitting.perturb': 0.01,
  }),
  variant('rate by age', 'Yuan et al. 2023', { 'fit.rateByAge': true }),
  variant('pairs for half', 'new neurons in +- pairs (Yuan et al. 2023)', {
    'splitting.insertion': { kind: 'pairs', share: 0.5 },
  }),
  variant('GradMax for half', 'Evci et al. 2022', {
    'splitting.insertion': { kind: 'gradmax', share: 0.5 },
  }),
  variant('2,048 images', 'indices over more images', { 'splitting.images': 2048 }),
  variant('momentum kept', 'momentum shared out at growth', { 'splitting.optimizerState': 'keep' }),
  variant(
    'cost only',
    'control: the index is ignored',
    { 'splitting.strategy': 'cost-only' },
    { hasMore: true, isAgain: true },
  ),
  variant('random', 'control', { 'splitting.strategy': 'random' }),
  variant('vanilla', 'control: the cost is ignored', { 'splitting.strategy': 'vanilla' }),
  // Where the index matters: both choices, in smaller and in larger steps.
  ...[
    [0.1, 1],
    [0.25, 2],
    [1, 4],
  ].flatMap(([ratio, each]) => {
    const more = { ratio, epochs: [each], hasMore: ratio < 1 };
    const control = { 'splitting.strategy': 'cost-only' };
    return [
      ...(ratio === 0.1 ? [] : [variant(`ratio ${ratio}`, 'larger or smaller steps', {}, more)]),
      variant(`cost only, ratio ${ratio}`, 'control: the same steps', control, more),
    ];
  }),
];

/** Recipes that choose by index and cost, each with the control that ignores the index in the same steps. */
export const CHOICES = [
  ['ratio 0.1 each epoch', 'cost only, ratio 0.1'],
  ['ratio 0.25', 'cost only, ratio 0.25'],
  ['rate 0.3', 'cost only'],
  ['ratio 1', 'cost only, ratio 1'],
];
