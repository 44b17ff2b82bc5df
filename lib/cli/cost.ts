// splitgrow cost: MACs and parameters of every node, and what one more neuron of each group costs.
import { cost } from '../api/cost.js';
import { integer } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { NETWORK_FLAGS, networkOf } from './shared-flags.js';
import { type Column, facts, table } from './table.js';

type CostDocument = Awaited<ReturnType<typeof cost>>;
type NodeRow = CostDocument['nodes'][number];
type GroupRow = CostDocument['groups'][number];

const NODES: readonly Column<NodeRow>[] = [
  { title: 'node', cell: (row) => row.id },
  { title: 'op', cell: (row) => row.op },
  { title: 'MACs', cell: (row) => integer(row.macs), isNumber: true },
  { title: 'parameters', cell: (row) => integer(row.params), isNumber: true },
];
const GROUPS: readonly Column<GroupRow>[] = [
  { title: 'group', cell: (row) => row.id },
  { title: 'neurons', cell: (row) => integer(row.neurons), isNumber: true },
  { title: 'MACs of one more', cell: (row) => integer(row.marginalMacs), isNumber: true },
  { title: 'producers', cell: (row) => row.producers.join(', ') },
];

export const COST = defineCommand({
  name: 'cost',
  endsAnywhere: true,
  summary: 'MACs and parameters, node by node, and the marginal MACs of splitting one neuron of each group',
  flags: NETWORK_FLAGS,
  examples: [
    [
      'splitgrow cost --network mobilenet_v1 --width 0.5 --resolution 160',
      'a preset, narrower and at a lower resolution',
    ],
    ['splitgrow cost --network mobilenet_cifar10 --blocks 6 --json', 'the same as JSON'],
    ['splitgrow cost --network runs/demo/stage-2', 'a grown network'],
  ],
  run: async (values) => {
    const document = await cost(networkOf(values));
    return {
      document,
      text: (style) =>
        [
          table(NODES, document.nodes, style),
          table(GROUPS, document.groups, style),
          facts(
            [
              ['MACs', integer(document.macs)],
              ['parameters', integer(document.params)],
              ['flops2x', integer(document.flops2x)],
            ],
            style,
          ),
        ].join('\n\n'),
    };
  },
});
