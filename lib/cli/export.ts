// splitgrow export: a network for other tools, one flag a format.
import { exportNetwork } from '../api/export.js';
import { FORMAT_ROWS } from '../export/formats.js';
import { defineCommand } from './command.js';
import { type Flag, text, toggle } from './flags.js';
import { DIRECTORY_FLAG } from './shared-flags.js';
import { facts } from './table.js';

type FormatFlags = { readonly [K in (typeof FORMAT_ROWS)[number][0]]: Flag<string | undefined> };

const FORMAT_FLAGS = Object.fromEntries(
  FORMAT_ROWS.map(([name, { writes }]) => [name, text('FILE', writes)]),
) as FormatFlags;

export const EXPORT = defineCommand({
  name: 'export',
  endsAnywhere: true,
  summary: 'a network for other tools; several formats at once are fine',
  flags: {
    network: DIRECTORY_FLAG,
    ...FORMAT_FLAGS,
    keepBatchNorm: toggle('keeps batch norms as nodes of the ONNX file (default: folded into layers)'),
  },
  examples: [
    ['splitgrow export --network runs/demo/best --onnx demo.onnx', 'input [N,C,H,W], output logits'],
    [
      'splitgrow export --network runs/demo/best --safetensors demo.safetensors',
      'for PyTorch; demo.py beside it loads it',
    ],
    [
      'splitgrow export --network runs/demo/best --svg demo.svg',
      'a picture: sizes, share of the MACs, tied layers',
    ],
  ],
  run: async (values, { control }) => {
    const document = await exportNetwork(values, control);
    return {
      document,
      text: (style) =>
        facts(
          Object.entries(document.formats).map(([name, { file }]) => [name, file]),
          style,
        ),
    };
  },
});
