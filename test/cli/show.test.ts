// `splitgrow show`: forms, shapes, shares and groups of a network counted by hand; the table under a pipe and on a terminal.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ShowDocument, show } from '../../lib/api/show.js';
import { bar, SHOW } from '../../lib/cli/show.js';
import { styleOf } from '../../lib/cli/table.js';
import { formOf } from '../../lib/graph/print.js';
import { errorLine, splitgrow, temporaryFolder } from './command-line.js';

const node = (id: string, op: string, inputs: readonly string[], fields: object = {}) => ({
  ...{ id, op, inputs },
  ...fields,
});
/** 2 x 8 x 8 in; a layer and its twin are tied by an add, a third cannot be split. */
const NETWORK = {
  format: 'splitgrow-network/1',
  name: 'tiny',
  input: { shape: [2, 8, 8], mean: [0.5, 0.25], std: [1, 2] },
  nodes: [
    node('stem', 'conv2d', ['input'], { out: 4, kernel: 3, stride: 2 }),
    node('act', 'activation', ['stem'], { kind: 'swish' }),
    node('twin', 'conv2d', ['input'], { out: 4, kernel: 1, stride: 2, bias: true }),
    node('sum', 'add', ['act', 'twin']),
    node('kept', 'conv2d', ['sum'], { out: 6, kernel: 1, split: false }),
    node('flat', 'flatten', ['kept']),
    node('drop', 'dropout', ['flat'], { p: 0.2 }),
    node('classifier', 'linear', ['drop'], { out: 3 }),
  ],
  classes: ['a', 'b', 'c d'],
  output: 'classifier',
};
const MACS = { stem: 4 * 4 * 4 * 2 * 9, twin: 4 * 4 * 4 * 2, kept: 4 * 4 * 6 * 4, classifier: 96 * 3 };
const TOTAL = Object.values(MACS).reduce((sum, macs) => sum + macs, 0);

function networkFolder(): string {
  const folder = join(temporaryFolder(), 'net');
  mkdirSync(folder);
  writeFileSync(join(folder, 'network.json'), JSON.stringify(NETWORK));
  return folder;
}

test('the document says what each node is, gives and costs, by hand', async () => {
  const document = await show({ network: networkFolder() });
  expect(document).toMatchObject({
    ...{ name: 'tiny', input: { ...NETWORK.input, shortSide: null }, classes: 3, macs: TOTAL },
    classNames: ['a', 'b', 'c d'],
  });
  expect(document.nodes.map(({ form }) => form)).toEqual([
    ...['conv2d 3x3 /2', 'activation swish', 'conv2d 1x1 /2 bias true', 'add'],
    ...['conv2d 1x1 split false', 'flatten', 'dropout p 0.2', 'linear'],
  ]);
  expect(document.nodes.map(({ shape }) => shape)).toEqual([
    ...[
      [4, 4, 4],
      [4, 4, 4],
      [4, 4, 4],
      [4, 4, 4],
      [6, 4, 4],
    ],
    ...[[96], [96], [3]],
  ]);
  for (const { id, macs, macsShare } of document.nodes) {
    const want = Object.hasOwn(MACS, id) ? MACS[id as keyof typeof MACS] : 0;
    expect({ id, macs, macsShare }).toEqual({ id, macs: want, macsShare: want / TOTAL });
  }
  expect(document.params).toBe(4 * 2 * 9 + (4 * 2 + 4) + 6 * 4 + (96 * 3 + 3));
  expect(document.nodes.map(({ group }) => group)).toEqual([
    ...['stem', 'stem', 'stem', 'stem', 'kept', 'kept', 'kept', 'classifier'],
  ]);
});

test('groups say what ties them, why they are frozen, and what one more neuron costs', async () => {
  const { groups } = await show({ network: networkFolder() });
  // One more tied channel: 2 x 9 and 2 weights more at 4 x 4 places, and 6 weights that read it there.
  const marginalMacs = 16 * (18 + 2 + 6);
  expect(groups).toEqual([
    { id: 'stem', producers: ['stem', 'twin'], neurons: 4, isSplittable: true, marginalMacs },
    {
      ...{ id: 'kept', producers: ['kept'], neurons: 6, isSplittable: false, marginalMacs: null },
      frozenBecause: '"kept" has split: false',
    },
    {
      ...{ id: 'classifier', producers: ['classifier'], neurons: 3, isSplittable: false, marginalMacs: null },
      frozenBecause: 'its channels are the network output',
    },
  ]);
});

test('the table is plain under a pipe', async () => {
  const { code, stdout, stderr } = await splitgrow(['show', networkFolder()]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n')).toEqual([
    'node        op                       reads      output     parameters   MACs   share  channel group  splits',
    'stem        conv2d 3x3 /2                       4 x 4 x 4          72  1,152  59.0 %  stem           yes',
    'act         activation swish                    4 x 4 x 4           0      0          stem           yes',
    'twin        conv2d 1x1 /2 bias true  input      4 x 4 x 4          12    128   6.6 %  stem           yes',
    'sum         add                      act, twin  4 x 4 x 4           0      0          stem           yes',
    'kept        conv2d 1x1 split false              6 x 4 x 4          24    384  19.7 %  kept           no',
    'flat        flatten                             96                  0      0          kept           no',
    'drop        dropout p 0.2                       96                  0      0          kept           no',
    'classifier  linear                              3                 291    288  14.8 %  classifier     no',
    '',
    'network        tiny',
    'input          2 x 8 x 8',
    'normalised by  mean 0.5, 0.25; std 1, 2',
    'classes        3: a, b, c d',
    'MACs           1,952',
    'parameters     399',
    'flops2x        4,035',
    'can be split   4 neurons of 1 channel groups',
    'cannot         kept: "kept" has split: false',
    'cannot         classifier: its channels are the network output',
    '',
  ]);
});

test('a terminal gets bars as long as the shares, to an eighth of a character', async () => {
  expect([0, 0.0125, 0.5, 0.9999, 1].map(bar)).toEqual(['', '▏', '█████', '██████████', '██████████']);
  const given = { network: networkFolder(), json: false, debug: false, threads: undefined };
  const output = await SHOW.run(given, {} as never);
  const drawn = await output.text(styleOf({ isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' }));
  expect(drawn.split('\n')[1]).toContain(`59.0 %  ${bar(MACS.stem / TOTAL)}`);
});

test('--json prints the document; options of a preset reach it', async () => {
  const words = [
    'show',
    'mobilenet_cifar10',
    '--blocks',
    '6',
    '--width',
    '16',
    '--resolution',
    '28',
    '--json',
  ];
  const document = JSON.parse((await splitgrow(words)).stdout) as ShowDocument;
  expect(document).toEqual(
    await show({ network: 'mobilenet_cifar10', width: 16, resolution: 28, preset: { blocks: 6 } }),
  );
});

test.each([
  [['mobilenet_v9'], 'E_PRESET', /^network: .*mobilenet_v1/],
  [['/'], 'E_FILE', /^network \/: expected a directory with network.json/],
  [[], 'E_USAGE', /missing required argument 'DIR\|PRESET'/],
])('splitgrow show %j is refused', async (words, code, says) => {
  const ended = await splitgrow(['show', ...words]);
  expect(ended.code).toBe(2);
  expect(errorLine(ended)).toEqual({ code, text: expect.stringMatching(says) });
});

test('a field that has its default by another field is left out, another value is told', () => {
  const pool = node('p', 'max_pool', ['input'], { kernel: 3, stride: 3 }) as never;
  expect(formOf(pool)).toBe('max_pool 3x3');
  expect(formOf({ ...(pool as object), stride: 2, padding: 1 } as never)).toBe('max_pool 3x3 /2 pad 1');
  const grouped = node('g', 'conv2d', ['input'], { out: 4, kernel: 3, groups: 2 }) as never;
  expect(formOf(grouped)).toBe('conv2d 3x3 2 groups');
});
