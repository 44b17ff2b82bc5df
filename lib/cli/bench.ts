// splitgrow bench: times of the steps on synthetic images, after warm-up.
import { type BenchDocument, bench } from '../api/bench.js';
import { bytes, decimal, integer } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { choice, required, integer as whole, withDefault } from './flags.js';
import { DEVICE_FLAG, NETWORK_FLAGS, networkOf } from './shared-flags.js';
import { type Column, facts, table } from './table.js';

const STEPS = {
  trainStep: 'training step',
  rayleighStep: 'Rayleigh step, closed form',
  auxiliaryStep: 'Rayleigh step, auxiliary activation',
  exactStep: 'exact splitting matrices',
  forward: 'forward',
} as const;

interface Row {
  readonly name: string;
  readonly ms: number;
  readonly images: number;
  readonly ratio: number;
}

/** What ran the steps in float32. */
function engineText({ engine, byLibTorch }: BenchDocument): string {
  if (engine === '') return 'LibTorch';
  const rest = byLibTorch.length === 0 ? '' : `, ${byLibTorch.join(', ')} by LibTorch`;
  return `the engine's loops for ${engine}${rest}`;
}

/** What the training step multiplied in, and by what. */
function precisionText({ precision, narrowEngine }: BenchDocument): string {
  const loops = narrowEngine === '' ? '' : ` (wide layers by the engine's loops for ${narrowEngine})`;
  return `${precision} a training step${loops}, float32 the others`;
}

const ROWS: readonly Column<Row>[] = [
  { title: 'a minibatch of', cell: ({ name }) => name },
  { title: 'median ms', cell: ({ ms }) => decimal(ms, 2), isNumber: true },
  { title: 'images/s', cell: ({ ms, images }) => integer((1000 * images) / ms), isNumber: true },
  { title: 'training steps', cell: ({ ratio }) => decimal(ratio, 2), isNumber: true },
];

export const BENCH = defineCommand({
  name: 'bench',
  summary:
    'times of a training step, the splitting steps and a forward pass on synthetic images; bench splitting compares exact with fast splitting',
  flags: {
    ...NETWORK_FLAGS,
    batchSize: required(whole('N', 'images a minibatch', { min: 1 })),
    device: DEVICE_FLAG,
    precision: withDefault(
      choice(['float32', 'bfloat16', 'auto'], 'what the training step multiplies in'),
      'float32',
    ),
    repeats: withDefault(whole('K', 'timed repetitions of each step', { min: 1 }), 10),
  },
  examples: [
    [
      'splitgrow bench --network mobilenet_cifar10 --blocks 3 --batch-size 64 --threads 2',
      'a preset on two threads',
    ],
    [
      'splitgrow bench --network runs/demo/best --batch-size 256 --repeats 30 --json',
      'a grown network, as JSON',
    ],
  ],
  run: async (values, { control }) => {
    const { batchSize, device, precision, repeats, threads } = values;
    const document = await bench(
      { batchSize, device, precision, repeats, threads, ...networkOf(values) },
      control,
    );
    const base = document.trainStep.medianMs;
    const rows = Object.entries(STEPS).map(([key, name]) => {
      const ms = document[key as keyof typeof STEPS].medianMs;
      return { name, ms, images: batchSize, ratio: ms / base };
    });
    return {
      document,
      text: (style) =>
        [
          table(ROWS, rows, style),
          facts(
            [
              [
                'peak memory',
                `${bytes(document.peakBytes)} a training step, ${bytes(document.peakBytesRayleigh)} a Rayleigh step`,
              ],
              ['threads', integer(document.threads)],
              ['device', document.device],
              ['precision', precisionText(document)],
              ['float32 by', engineText(document)],
            ],
            style,
          ),
        ].join('\n\n'),
    };
  },
});
