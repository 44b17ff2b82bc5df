// splitgrow predict: the likeliest classes of image files.
import { type PredictDocument, type PredictedClass, predict } from '../api/predict.js';
import { SplitgrowError } from '../errors.js';
import { integer, percent } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { integer as count, repeated, required, withDefault } from './flags.js';
import { DEVICE_FLAG, DIRECTORY_FLAG, EXACT_DECODE_FLAG, FOLDER_FLAGS } from './shared-flags.js';
import { type Column, table } from './table.js';

/** A class of an image; the image's name stands at the first. */
type Row = PredictedClass & { readonly image: string };

const COLUMNS: readonly Column<Row>[] = [
  { title: 'image', cell: ({ image }) => image },
  { title: 'class', cell: ({ class: name, index }) => name ?? `class ${index}` },
  { title: 'number', cell: ({ index }) => integer(index), isNumber: true },
  { title: 'probability', cell: ({ probability }) => percent(probability), isNumber: true },
];

function rowsOf({ images }: PredictDocument): readonly Row[] {
  return images.flatMap(({ file, top }) => top.map((one, at) => ({ ...one, image: at === 0 ? file : '' })));
}

/** Files that an error names; --json lists all. */
const NAMED = 5;

function errorOf({ images, problems }: PredictDocument): SplitgrowError | null {
  if (problems.length === 0) return null;
  const all = images.length + problems.length;
  const which = problems.slice(0, NAMED).map(({ file, reason }) => `${file}: ${reason}`);
  const more = problems.length > NAMED ? [`and ${integer(problems.length - NAMED)} more (see --json)`] : [];
  const rest = images.length > 0 ? ['the others are done'] : [];
  return new SplitgrowError(
    'E_UNREADABLE',
    `expected JPEG or PNG files, ${integer(problems.length)} of ${integer(all)} cannot be read: ${[...which, ...more, ...rest].join('; ')}`,
  );
}

export const PREDICT = defineCommand({
  name: 'predict',
  endsAnywhere: true,
  summary: 'the likeliest classes of image files, with their probabilities',
  arguments: { images: required(repeated('IMAGE', 'JPEG or PNG files', (file) => file)) },
  flags: {
    network: DIRECTORY_FLAG,
    top: withDefault(count('K', 'classes told of each image', { min: 1 }), 5),
    shortSide: count(
      'N',
      "shorter side before the centre crop (default: the network's own, else the side of its input)",
      { min: 1 },
    ),
    exactDecode: EXACT_DECODE_FLAG,
    maxPixels: FOLDER_FLAGS.maxPixels,
    maxScans: FOLDER_FLAGS.maxScans,
    device: DEVICE_FLAG,
  },
  examples: [
    ['splitgrow predict dress.png boot.jpg --network runs/demo/best', 'five classes of each'],
    ['splitgrow predict *.jpg --network v2 --top 1 --json', 'the likeliest class of every image, as JSON'],
  ],
  run: async (values, { control }) => {
    const document = await predict(values, control);
    return {
      document,
      text: (style) => table(COLUMNS, rowsOf(document), style),
      error: errorOf(document),
    };
  },
});
