// splitgrow indices: the splitting index of every neuron over a batch file.
import { indices } from '../api/indices.js';
import { INDEX_DEFAULTS, METHODS } from '../split/indices/settings.js';
import { integer, seconds, significant } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { choice, number, text, integer as whole, withDefault } from './flags.js';
import { BATCH_FLAG, DEVICE_FLAG, DIRECTORY_FLAG } from './shared-flags.js';
import { type Column, facts, table } from './table.js';

type Layer = Awaited<ReturnType<typeof indices>>['layers'][number];

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[at] ?? Number.NaN)
    : ((sorted[at - 1] ?? Number.NaN) + (sorted[at] ?? Number.NaN)) / 2;
}

const LAYERS: readonly Column<Layer>[] = [
  { title: 'layer', cell: (row) => row.id },
  { title: 'neurons', cell: (row) => integer(row.neurons), isNumber: true },
  { title: 'weights each', cell: (row) => integer(row.dimension), isNumber: true },
  { title: 'method', cell: (row) => row.method },
  { title: 'lowest', cell: (row) => significant(Math.min(...row.indices)), isNumber: true },
  { title: 'median', cell: (row) => significant(middle(row.indices)), isNumber: true },
  { title: 'highest', cell: (row) => significant(Math.max(...row.indices)), isNumber: true },
  {
    title: 'negative',
    cell: (row) => integer(row.indices.filter((index) => index < 0).length),
    isNumber: true,
  },
  {
    title: 'epochs or passes',
    cell: (row) => (row.method === 'exact' ? '–' : integer(row.epochs)),
    isNumber: true,
  },
  { title: 'above tolerance', cell: (row) => integer(row.above), isNumber: true },
];

export const INDICES = defineCommand({
  name: 'indices',
  endsAnywhere: true,
  isCollective: true,
  summary: 'splitting indices (smallest eigenvalues of the splitting matrices) over a batch file',
  flags: {
    network: DIRECTORY_FLAG,
    batch: BATCH_FLAG,
    method: withDefault(
      choice(
        METHODS,
        'eigensolver, the descent of the paper, conjugate gradients, or exact or lobpcg per layer',
      ),
      'auto',
    ),
    reluBeta: withDefault(
      number('B', 'sharpness of the softplus that stands for relu', { min: 0, isOpen: true }),
      INDEX_DEFAULTS.reluBeta,
    ),
    identityCurvature: withDefault(
      number('C', 'second derivative of a chain without activation'),
      INDEX_DEFAULTS.identityCurvature,
    ),
    epochs: whole('N', 'epochs of the Rayleigh descent (default: 10, or what makes 2,000 steps)', { min: 1 }),
    mostEpochs: whole('N', 'most epochs, for neurons above the tolerance (default: three times the epochs)', {
      min: 1,
    }),
    tolerance: withDefault(
      number('SHARE', 'residual at which a neuron is done, as a share of |index|', { min: 0 }),
      INDEX_DEFAULTS.tolerance,
    ),
    passes: withDefault(
      whole('N', 'most passes of lobpcg, one product of every neuron each', { min: 1 }),
      INDEX_DEFAULTS.passes,
    ),
    images: whole('N', 'images of the batch file that are taken, chosen by the seed (default: all)', {
      min: 1,
    }),
    learningRate: withDefault(
      number('RATE', 'rate of the Rayleigh descent', { min: 0, isOpen: true }),
      INDEX_DEFAULTS.learningRate,
    ),
    momentum: withDefault(
      number('M', 'momentum of the Rayleigh descent, below 1', { min: 0, max: 1 }),
      INDEX_DEFAULTS.rmsprop.momentum,
    ),
    alpha: withDefault(
      number('A', "RMSprop's smoothing constant, below 1", { min: 0, max: 1 }),
      INDEX_DEFAULTS.rmsprop.alpha,
    ),
    seed: withDefault(whole('SEED', 'seed of the starting directions, and of the choice of images'), 0),
    device: DEVICE_FLAG,
    directions: text('OUT.safetensors', 'writes the splitting directions: <id> -> [neurons, d]'),
  },
  examples: [
    ['splitgrow indices --network runs/demo/stage-0 --batch batch.safetensors', 'a table of the layers'],
    [
      'splitgrow indices --network runs/demo/stage-0 --batch batch.safetensors --method exact --directions v.safetensors --json',
      'every index, and the directions in a file',
    ],
  ],
  run: async (values, { control }) => {
    const document = await indices(values, control);
    return {
      document,
      text: (style) =>
        [
          table(LAYERS, document.layers, style),
          facts(
            [
              ['method', document.method],
              ['seconds', seconds(document.seconds)],
              ['tolerance', significant(document.tolerance)],
              ...(values.directions === undefined ? [] : [['directions', values.directions] as const]),
            ],
            style,
          ),
        ].join('\n\n'),
    };
  },
});
