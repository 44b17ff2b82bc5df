// splitgrow export: a network for other tools, one flag a format.
import { exportNetwork } from '../api.js';
import { FORMAT_ROWS } from '../export/formats.js';
import { defineCommand } from './command.js';
import { type Flag, text } from './flags.js';
import { DIRECTORY_FLAG } from './networks.js';
import { facts } from './table.js';

type FormatFlags = { readonly [K in (typeof FORMAT_ROWS)[number][0]]: Flag<string | undefined> };

const FORMAT_FLAGS = Object.fromEntries(
  FORMAT_ROWS.map(([name, { writes }]) => [name, text('FILE', writes)]),
) as FormatFlags;

export const EXPORT = defineCommand({
  name: 'export',
  summary: 'a network for other tools; several formats at once are fine',
  flags: { network: DIRECTORY_FLAG, ...FORMAT_FLAGS },
  examples: [
    [
      'splitgrow export --network runs/demo/stage-3 --safetensors demo.safetensors',
      'the weights for PyTorch, with the graph in their metadata',
    ],
  ],
  run: async (values) => {
    const document = await exportNetwork(values);
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
