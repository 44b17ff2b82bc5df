// Tables and number formats for people.
import { expect, test } from 'vitest';
import { type Column, facts, styleOf, table } from '../../lib/cli/table.js';
import {
  bytes,
  clock,
  decimal,
  integer,
  oneLine,
  seconds,
  significant,
} from '../../lib/statistics/format.js';

interface Row {
  readonly name: string;
  readonly count: number;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: 'name', cell: ({ name }) => name, paint: (style) => style.good },
  { title: 'count', cell: ({ count }) => integer(count), isNumber: true },
];
const ROWS: readonly Row[] = [
  { name: 'a', count: 1_234_567 },
  { name: 'longer', count: 8 },
];
const PLAIN = styleOf({ isTTY: false }, {});
const ESCAPES = new RegExp(`${'\u001b'}\\[\\d+m`, 'g');

test('numbers stand right with thousands separators, text stands left, no blank ends a line', () => {
  expect(table(COLUMNS, ROWS, PLAIN)).toBe('name        count\na       1,234,567\nlonger          8');
});

test('rows beyond any block of the layout stand in the same columns, wide letters and colours counted', () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({
    name: i === 200 ? '猫'.repeat(20) : `n${i}`,
    count: i,
  }));
  rows.push({ name: 'last', count: 123_456_789 });
  for (const style of [PLAIN, styleOf({ isTTY: true }, { TERM: 'xterm' })]) {
    const lines = table(COLUMNS, rows, style).replace(ESCAPES, '').split('\n');
    expect(lines).toHaveLength(302);
    // 40 columns of names, two blanks, eleven of numbers.
    expect(lines[0]).toBe(`name${' '.repeat(36)}        count`);
    expect(lines[5]).toBe(`n4${' '.repeat(38)}  ${' '.repeat(10)}4`);
    expect(lines[201]).toBe(`${'猫'.repeat(20)}          200`);
    expect(lines[301]).toBe(`last${' '.repeat(36)}  123,456,789`);
  }
});

test('a terminal gets colours and the same text', () => {
  const coloured = table(COLUMNS, ROWS, styleOf({ isTTY: true }, { TERM: 'xterm' }));
  expect(coloured).toMatch(ESCAPES);
  expect(coloured.replace(ESCAPES, '')).toBe(table(COLUMNS, ROWS, PLAIN));
});

test('NO_COLOR and a dumb terminal get none', () => {
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    expect(styleOf({ isTTY: true }, env).bold('x')).toBe('x');
  }
  expect(styleOf({ isTTY: true }, { NO_COLOR: '' }).bold('x')).not.toBe('x');
});

test('a name from a file can neither break a line nor drive the terminal', () => {
  const hostile = 'a\nb\u001b[2J\u0007\u202ec';
  expect(oneLine(hostile)).toBe('a b\ufffd[2J\ufffd\ufffdc');
  expect(table(COLUMNS, [{ name: hostile, count: 1 }], PLAIN).split('\n')).toHaveLength(2);
  expect(facts([['x', hostile]], PLAIN)).toBe('x  a b\ufffd[2J\ufffd\ufffdc');
});

test('numbers keep the digits that matter', () => {
  expect([integer(568_740_352), integer(Number.NaN)]).toEqual(['568,740,352', '–']);
  expect([decimal(66.1, 2), decimal(null, 2), decimal(Number.POSITIVE_INFINITY, 1)]).toEqual([
    '66.10',
    '–',
    '–',
  ]);
  expect([0, 3.2e-7, 0.041, -0.85123, 120, 1234567, null].map((value) => significant(value))).toEqual([
    '0',
    '3.20e-7',
    '0.041',
    '-0.851',
    '120',
    '1.23e+6',
    '–',
  ]);
  expect([0.031, 12.34, 245.6].map(seconds)).toEqual(['0.03', '12.3', '246']);
  expect([7, 750, 3723].map(clock)).toEqual(['0:07', '12:30', '1:02:03']);
  expect([0, 1023, 1536, 3 * 2 ** 30].map(bytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '3.0 GiB']);
});
