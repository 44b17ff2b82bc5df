// splitgrow split: replaces named neurons by two offspring each and writes the wider network.
import { split } from '../api/split.js';
import { integer } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { number, required, text } from './flags.js';
import { DEVICE_FLAG, DIRECTORY_FLAG } from './shared-flags.js';
import { type Column, facts, table } from './table.js';

const LAYERS: readonly Column<readonly [string, readonly number[]]>[] = [
  { title: 'layer', cell: ([id]) => id },
  { title: 'split', cell: ([, neurons]) => integer(neurons.length), isNumber: true },
  { title: 'neurons', cell: ([, neurons]) => neurons.join(', ') },
];

export const SPLIT = defineCommand({
  name: 'split',
  endsAnywhere: true,
  summary: 'splits the named neurons of the named channel groups into two offspring each',
  flags: {
    network: DIRECTORY_FLAG,
    plan: required(text('FILE', 'JSON: {"splits": {"<layer id>": [neuron, ...]}}')),
    directions: required(text('FILE', 'splitting directions, as `indices --directions` writes them')),
    epsilon: required(number('E', 'step along the directions; 0 leaves the function unchanged', { min: 0 })),
    out: required(text('DIR2', 'directory of the new network')),
    device: DEVICE_FLAG,
  },
  examples: [
    [
      'splitgrow split --network net --plan plan.json --directions v.safetensors --epsilon 0.01 --out wider',
      'neurons of plan.json, at theta +- 0.01 v',
    ],
    [
      'splitgrow split --network net --plan plan.json --directions v.safetensors --epsilon 0 --out wider --json',
      'the same function, with more neurons',
    ],
  ],
  run: async (values, { control }) => {
    const document = await split(values, control);
    return {
      document,
      text: (style) =>
        [
          table(LAYERS, Object.entries(document.split), style),
          facts(
            [
              ['MACs before', integer(document.macsBefore)],
              ['MACs after', integer(document.macsAfter)],
              ['written to', values.out],
            ],
            style,
          ),
        ].join('\n\n'),
    };
  },
});
