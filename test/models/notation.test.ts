import { expect, test } from 'vitest';
import { blockNodes, parseBlocks, scaleBlocks } from '../../lib/models/notation.js';
import { codeOf } from '../reference.js';

test('a word is a kind, a width and options; of repeats only the first has the stride', () => {
  expect(parseBlocks('conv32s2 ir24t4s2n2 ir22e100')).toEqual([
    { kind: 'conv', width: 32, stride: 2, expansion: 6 },
    { kind: 'ir', width: 24, stride: 2, expansion: 4 },
    { kind: 'ir', width: 24, stride: 1, expansion: 4 },
    { kind: 'ir', width: 22, stride: 1, expansion: 6, hidden: 100 },
  ]);
});

test('a word that does not parse is refused', () => {
  for (const text of ['', 'conv', 'conv8x2', 'dense8', '8', 'constructor8'])
    expect(
      codeOf(() => parseBlocks(text)),
      text,
    ).toBe('E_INTERNAL');
});

test('an inverted residual expands its input, or has the inner width given', () => {
  const style = { activation: 'relu6', shortcut: 'identity' } as const;
  const nodes = blockNodes(parseBlocks('conv8 ir8 ir8e20 ir8t1'), 3, style);
  const out = (id: string) => nodes.find((node) => node.id === id)?.out;
  expect([out('b1_expand'), out('b2_expand'), out('b3_expand'), out('b3_project')]).toEqual([
    48,
    20,
    undefined,
    8,
  ]);
  expect(nodes.find(({ id }) => id === 'b1_add')?.inputs).toEqual(['b1_project_bn', 'stem_act']);
  expect(nodes.find(({ id }) => id === 'b2_add')?.inputs).toEqual(['b2_project_bn', 'b1_add']);
});

test('scaling multiplies the widths only', () => {
  expect(
    scaleBlocks(parseBlocks('ds8s2 ir4e10'), (w) => 3 * w).map(({ width, stride, hidden }) => [
      width,
      stride,
      hidden,
    ]),
  ).toEqual([
    [24, 2, undefined],
    [12, 1, 10],
  ]);
});
