// splitgrow bench splitting: exact against fast splitting, time and memory, against the width.
import { benchSplitting, type SplittingBenchResult } from '../api/bench-splitting.js';
import { widthsBetween } from '../bench/networks.js';
import { DEFAULTS } from '../bench/options.js';
import { SplitgrowError } from '../errors.js';
import {
  howText,
  noteLines,
  PART_COLUMNS,
  SEARCH_COLUMNS,
  STEP_COLUMNS,
  settingText,
} from '../report/bench/columns.js';
import {
  AUTO_COLUMNS,
  AUTO_TEXT,
  WHOLE_COLUMNS,
  wholeLines,
  wholeRows,
  wholeText,
} from '../report/bench/wholes.js';
import { defineCommand } from './command.js';
import { integer, number, numbers, text, withDefault } from './flags.js';
import { DEVICE_FLAG, NETWORK_FLAGS, networkOf } from './shared-flags.js';
import { type Style, table } from './table.js';

const { network: _required, width: _single, ...PRESET_FLAGS } = NETWORK_FLAGS;

interface WidthFlags {
  readonly widths: readonly number[] | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly points: number | undefined;
}

/** A list of widths, or a range of them, but not both. */
function widthsOf(network: string, { widths, from, to, points }: WidthFlags): readonly number[] | undefined {
  const hasRange = from !== undefined || to !== undefined || points !== undefined;
  if (!hasRange) return widths;
  if (widths !== undefined || from === undefined || to === undefined) {
    throw new SplitgrowError(
      'E_USAGE',
      `expected --widths LIST, or --from M and --to M with --points N, found ${widths === undefined ? 'a part of a range' : 'both'}`,
    );
  }
  return widthsBetween(network, { from, to, points: points ?? 4 });
}

function resultText(document: SplittingBenchResult, style: Style): string {
  const { points, parts, files } = document;
  const lines = [...noteLines(document), ...wholeLines(document)];
  const rows = wholeRows(document);
  return [
    style.dim(settingText(document)),
    style.dim(howText(document)),
    style.bold('Steps, measured'),
    table(STEP_COLUMNS, points, style),
    style.bold('Whole searches: seconds scaled, memory measured'),
    table(SEARCH_COLUMNS, points, style),
    ...(rows.length === 0
      ? []
      : [
          style.bold('Every method, measured as a whole'),
          style.dim(wholeText(document)),
          table(WHOLE_COLUMNS, rows, style),
        ]),
    style.bold('What auto chooses'),
    style.dim(AUTO_TEXT),
    table(AUTO_COLUMNS, points, style),
    ...(parts === null
      ? []
      : [
          style.bold(`Parts of the network of width ${parts.width}`),
          table(PART_COLUMNS, parts.points, style),
        ]),
    lines.join('\n'),
    ...(files.length === 0 ? [] : [`written: ${files.join(' ')}`]),
  ].join('\n\n');
}

export const BENCH_SPLITTING = defineCommand({
  name: 'bench splitting',
  summary: "exact against fast splitting by width, Figure 5 (b)'s measurement: time, memory, crossover",
  flags: {
    network: withDefault(
      text('DIR|PRESET', 'a preset, or a network directory whose widths are multiplied'),
      DEFAULTS.network,
    ),
    ...PRESET_FLAGS,
    widths: numbers('M,M,...', "widths to time (default: 1, 2, 4 and 8 times the network's own)", {
      min: 0,
      isOpen: true,
    }),
    from: number('M', 'first width of a range, in place of --widths', { min: 0, isOpen: true }),
    to: number('M', 'last width of the range', { min: 0, isOpen: true }),
    points: integer('N', 'widths of the range, at equal ratios (default: 4)', { min: 1, max: 64 }),
    images: withDefault(integer('N', 'images that one sweep covers', { min: 1 }), DEFAULTS.images),
    wholeImages: withDefault(
      integer('N', 'images of the whole searches that are timed by every method; 0: none', { min: 0 }),
      DEFAULTS.wholeImages,
    ),
    epochs: withDefault(integer('T', 'Rayleigh epochs of the fast method', { min: 1 }), DEFAULTS.epochs),
    batchSize: withDefault(integer('N', 'images a minibatch', { min: 1 }), DEFAULTS.batchSize),
    memoryLimit: withDefault(
      integer('BYTES', "bytes that the exact method's sums may take at a time", { min: 1 }),
      DEFAULTS.memoryLimit,
    ),
    timeLimit: withDefault(
      number('S', 'seconds that the steps of one width may take, and each whole search', {
        min: 0,
        isOpen: true,
      }),
      DEFAULTS.timeLimit,
    ),
    repeats: withDefault(
      integer('K', 'timed repetitions of each step, fewer where time is short', { min: 1 }),
      DEFAULTS.repeats,
    ),
    parts: withDefault(
      integer('N', 'parts of the widest network to time apart; 0: none', { min: 0 }),
      DEFAULTS.parts,
    ),
    checkSeconds: withDefault(
      number('S', 'seconds of the whole searches that check the scaled ones; 0: none', { min: 0 }),
      DEFAULTS.checkSeconds,
    ),
    seed: withDefault(integer('N', 'decides images, weights and starting directions'), DEFAULTS.seed),
    device: DEVICE_FLAG,
    out: text('DIR', 'folder to write tables, numbers, plots and page to'),
  },
  examples: [
    [
      'splitgrow bench splitting --threads 2 --out runs/splitting',
      "the paper's CIFAR-100 network, widths 1 to 8",
    ],
    [
      'splitgrow bench splitting --network mobilenet_v1 --widths 0.25,0.5,1 --images 1281167 --epochs 2 --batch-size 16',
      "ImageNet's size, scaled from a few minibatches",
    ],
    [
      'splitgrow bench splitting --network runs/demo/best --from 0.5 --to 4 --points 6 --json',
      'multiples of a grown network',
    ],
  ],
  run: async (values, { control }) => {
    const { widths, from, to, points, json: _json, debug: _debug, resolution, ...options } = values;
    const { blocks, classes, channels, ...rest } = options;
    const { network, preset } = networkOf({ ...values, width: undefined });
    const chosen = widthsOf(network, { widths, from, to, points });
    const document = await benchSplitting({ ...rest, network, preset, resolution, widths: chosen }, control);
    return { document, text: (style) => resultText(document, style) };
  },
});
