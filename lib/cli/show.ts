// splitgrow show: a network as a table, node by node, with its share of the MACs and its channel groups.
import { type ShowDocument, show } from '../api/show.js';
import type { PrintedNode } from '../graph/print.js';
import { integer, percent } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { NETWORK_FLAG, networkOf, PRESET_FLAGS } from './shared-flags.js';
import { type Column, facts, type Style, table } from './table.js';

/** A node, and the row above it where it reads nothing else. */
type Row = PrintedNode & { readonly above: string };

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const BAR = 10;
/** Class names that are printed. */
const NAMED = 10;

/** A share as a bar of at most ten characters, to the eighth of one. */
export function bar(share: number): string {
  const eighths = Math.round(8 * BAR * share);
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'node', cell: ({ id }) => id },
  { title: 'op', cell: ({ form }) => form },
  { title: 'reads', cell: ({ inputs, above }) => (inputs.join() === above ? '' : inputs.join(', ')) },
  { title: 'output', cell: ({ shape }) => shape.join(' x ') },
  { title: 'parameters', cell: ({ params }) => integer(params), isNumber: true },
  { title: 'MACs', cell: ({ macs }) => integer(macs), isNumber: true },
  { title: 'share', cell: ({ macs, macsShare }) => (macs === 0 ? '' : percent(macsShare)), isNumber: true },
];
/** Only on a terminal: a program that reads the output has the number. */
const SHARE_BAR: Column<Row> = {
  title: '',
  cell: ({ macsShare }) => bar(macsShare),
  paint: (style) => style.accent,
};
const CHANNELS: readonly Column<Row>[] = [
  { title: 'channel group', cell: ({ group }) => group ?? 'input' },
  {
    title: 'splits',
    cell: ({ isSplittable }) => (isSplittable ? 'yes' : 'no'),
    paint: (style, { isSplittable }) => (isSplittable ? undefined : style.dim),
  },
];

function nodesTable(nodes: readonly PrintedNode[], style: Style): string {
  const rows = nodes.map((node, at) => ({ ...node, above: nodes[at - 1]?.id ?? 'input' }));
  const columns = [...COLUMNS, ...(style.isTerminal ? [SHARE_BAR] : []), ...CHANNELS];
  return table(columns, rows, style);
}

/** The first few names, of some hundred classes too. */
function named(names: readonly string[] | null): string {
  if (names === null) return '';
  const more = names.length > NAMED ? ', ...' : '';
  return `: ${names.slice(0, NAMED).join(', ')}${more}`;
}

function totals(
  { name, input, classes, classNames, macs, params, flops2x, groups }: ShowDocument,
  style: Style,
): string {
  const splittable = groups.filter(({ isSplittable }) => isSplittable);
  const neurons = splittable.reduce((sum, group) => sum + group.neurons, 0);
  const normalised =
    input.mean === null ? 'not said' : `mean ${input.mean.join(', ')}; std ${input.std?.join(', ')}`;
  const frozen = groups.filter(({ isSplittable }) => !isSplittable);
  return facts(
    [
      ['network', name],
      ['input', input.shape.join(' x ')],
      ['normalised by', normalised],
      ['classes', `${integer(classes)}${named(classNames)}`],
      ['MACs', integer(macs)],
      ['parameters', integer(params)],
      ['flops2x', integer(flops2x)],
      ['can be split', `${integer(neurons)} neurons of ${integer(splittable.length)} channel groups`],
      ...frozen.map(({ id, frozenBecause }) => ['cannot', `${id}: ${frozenBecause}`] as const),
    ],
    style,
  );
}

export const SHOW = defineCommand({
  name: 'show',
  endsAnywhere: true,
  summary: 'a network as a table: op, shape, parameters, MACs and their share, channel group of every node',
  arguments: { network: NETWORK_FLAG },
  flags: PRESET_FLAGS,
  examples: [
    ['splitgrow show runs/demo/stage-2', 'a grown network'],
    [
      'splitgrow show mobilenet_v2 --width 0.3 --resolution 160',
      'a preset, narrower and at a lower resolution',
    ],
    ['splitgrow show resnet18 --json', 'the same as JSON'],
  ],
  run: async (values) => {
    const document = await show(networkOf(values, 'network'));
    return {
      document,
      text: (style) => [nodesTable(document.nodes, style), totals(document, style)].join('\n\n'),
    };
  },
});
