// JSON that people write: comments and trailing commas against JSON.parse, faults with their line and column.
import { expect, test } from 'vitest';
import { parseCommentedJson, parseStrictJson } from '../../../lib/machine/files/json.js';
import { type Draw, drawOf } from '../../random-graphs.js';
import { messageOf } from '../../reference.js';

/** Any JSON value, a few levels deep, with odd names and texts. */
function randomValue(draw: Draw, levels: number): unknown {
  const { below, one, chance } = draw;
  const text = (): string =>
    one(['', 'a', '//', '/* */', '"', '\\', '\n', 'é', '\u2028', '😀', '__proto__', ',}']);
  if (levels === 0 || chance(0.3)) return one([null, true, false, 0, -1.5, 1e-9, 12345678901234, text()]);
  const count = below(4);
  if (chance(0.5)) return Array.from({ length: count }, () => randomValue(draw, levels - 1));
  const entries = Array.from({ length: count }, (_, at) => [`${text()}${at}`, randomValue(draw, levels - 1)]);
  return Object.fromEntries(entries);
}

/** The text with comments and blanks between tokens, and commas behind last members. */
function commented(text: string, { one, chance }: Draw): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  return tokens
    .map((token, at) => {
      const isLast = /^[}\]]$/.test(token) && !/^[{[,]$/.test(tokens[at - 1] ?? '');
      const gap = one(['', ' ', '\n', '// x "y" {\n', '/* a, */', '/**/\r\n', '\t']);
      return `${gap}${isLast && chance(0.5) ? ',' : ''}${gap}${token}`;
    })
    .join('');
}

test('with and without comments and trailing commas it is what JSON.parse gives', () => {
  for (let seed = 0; seed < 500; seed += 1) {
    const draw = drawOf(seed);
    const text = JSON.stringify(randomValue(draw, 4), null, draw.below(3));
    const want: unknown = JSON.parse(text);
    expect(parseCommentedJson(text), `seed ${seed}`).toEqual(want);
    const other = commented(text, draw);
    expect(JSON.stringify(parseCommentedJson(other)), `seed ${seed}: ${other}`).toBe(JSON.stringify(want));
  }
});

test('what is no JSON for other reasons is refused where JSON.parse refuses it', () => {
  for (let seed = 0; seed < 2000; seed += 1) {
    const draw = drawOf(seed);
    const text = JSON.stringify(randomValue(draw, 3));
    const at = draw.below(text.length + 1);
    const broken = `${text.slice(0, at)}${draw.one(['', '{', ']', '"', ',', ':', 'x', '1', "'", '\\', '\u0000'])}${text.slice(at + draw.below(2))}`;
    let isJson = true;
    try {
      parseStrictJson(broken);
    } catch {
      isJson = false;
    }
    let isOurs = true;
    try {
      parseCommentedJson(broken);
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxError);
      isOurs = false;
    }
    // A comma more behind the last member is the one thing that it takes besides.
    if (isJson !== isOurs) expect(/,\s*[}\]]/.test(broken) && isOurs, `seed ${seed}: ${broken}`).toBe(true);
  }
});

test('"__proto__" is a member like any other', () => {
  const value = parseCommentedJson('{"__proto__": {"a": 1} /* x */}') as object;
  expect(Object.keys(value)).toEqual(['__proto__']);
  expect(({} as { a?: number }).a).toBeUndefined();
});

const FAULTS: readonly (readonly [text: string, says: string])[] = [
  ['', 'line 1, column 1: expected a value'],
  ['// only this', 'expected a value'],
  ['{\n  "a": 1\n  "b": 2\n}', 'line 3, column 3: expected "," before what comes next'],
  ['{\n  "a": 1, // x\n  b: 2\n}', 'line 3, column 3: expected'],
  ['{"a": }', 'line 1, column 7: expected a value'],
  ['{"a" 1}', 'line 1, column 6: expected ":" after the name'],
  ['{"a": 1', 'line 1, column 8: expected "}" at the end of the object'],
  ['[1, 2', 'expected "]" at the end of the list'],
  ['{} {}', 'line 1, column 4: expected nothing after the value'],
  ['{"a": 1} /* x', 'expected "*/" at the end of the comment'],
  ['["a\n"]', 'line 1, column 2: expected a double quote at the end of the text'],
  ['[1,,2]', 'line 1, column 4: expected a value'],
  ['{\n "a": 1,\n "b": {"c": 1, "c": 2}\n}', 'line 3, column 16: expected a name once, got "c" twice'],
  ['{"a": NaN}', 'expected a value'],
];
test.each(FAULTS)('%j is refused with its place', (text, says) => {
  expect(messageOf(() => parseCommentedJson(text))).toContain(says);
});

test('a text that is nested without end is refused', () => {
  const text = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  expect(messageOf(() => parseCommentedJson(text))).toBe('expected fewer levels of lists and objects');
});

test('texts of any length and any escapes are passed over in the search for names given twice', () => {
  const long = JSON.stringify({ a: '\n'.repeat(3_000_000), b: '"\\'.repeat(1000), c: '{"c":1,"c":2}' });
  expect(parseStrictJson(long)).toEqual(JSON.parse(long));
  expect(messageOf(() => parseStrictJson(long.replace(/\}$/, ',"b":"\\\\"}')))).toBe(
    'the name "b" is given twice',
  );
});
