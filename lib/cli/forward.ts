// splitgrow forward: the logits of a batch file.
import { forward } from '../api/forward.js';
import { decimal, integer } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { choice, required, text, withDefault } from './flags.js';
import { BATCH_FLAG, DEVICE_FLAG, DIRECTORY_FLAG } from './shared-flags.js';
import { type Column, facts, table } from './table.js';

interface Row {
  readonly image: number;
  readonly logits: readonly number[];
}

const SHOWN = 10;

function highest(logits: readonly number[]): number {
  return logits.reduce(
    (best, value, at) => (value > (logits[best] ?? Number.NEGATIVE_INFINITY) ? at : best),
    0,
  );
}

const IMAGES: readonly Column<Row>[] = [
  { title: 'image', cell: ({ image }) => integer(image), isNumber: true },
  { title: 'class', cell: ({ logits }) => integer(highest(logits)), isNumber: true },
  { title: 'its logit', cell: ({ logits }) => decimal(logits[highest(logits)], 4), isNumber: true },
];

export const FORWARD = defineCommand({
  name: 'forward',
  summary: 'logits of the images of a batch file',
  flags: {
    network: DIRECTORY_FLAG,
    batch: BATCH_FLAG,
    out: required(text('FILE', 'safetensors file to write `logits` to')),
    mode: withDefault(
      choice(['eval', 'train'], "batch norm by its statistics, or by the batch's own"),
      'eval',
    ),
    device: DEVICE_FLAG,
  },
  examples: [
    [
      'splitgrow forward --network runs/demo/stage-1 --batch batch.safetensors --out logits.safetensors',
      'logits to a file, the first few to the terminal',
    ],
    [
      'splitgrow forward --network runs/demo/stage-1 --batch batch.safetensors --out logits.safetensors --json',
      'all of them as JSON too',
    ],
  ],
  run: async (values, { control }) => {
    const document = await forward(values, control);
    const rows = document.logits.slice(0, SHOWN).map((logits, image) => ({ image, logits }));
    return {
      document,
      text: (style) =>
        [
          table(IMAGES, rows, style),
          facts(
            [
              ['images', integer(document.logits.length)],
              ['logits in', values.out],
            ],
            style,
          ),
        ].join('\n\n'),
    };
  },
});
