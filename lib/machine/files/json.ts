// Reads JSON. Strict JSON is read as by JSON.parse, but a name given twice in one object is an error. Commented JSON is for files that people write.
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';

/** True for a JSON object: neither null nor a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The characters that matter in a search for names: the start of a string, a bracket, a colon, a comma. */
const STOP = /["{}[\]:,]/g;

/** The position after the string that begins at `start`. Uses `indexOf`: a regular expression would recurse over a long string. */
function afterString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text[before - 1] === '\\') before -= 1;
    if ((end - before) % 2 === 0) return end + 1;
  }
  return text.length;
}

/** The name of a member that an object has twice, or null. `text` is valid JSON. */
function repeatedName(text: string): string | null {
  // For each open object the set of its names; null for an open array.
  const open: (Set<string> | null)[] = [];
  let last: readonly [from: number, to: number] = [0, 0];
  STOP.lastIndex = 0;
  for (let found = STOP.exec(text); found !== null; found = STOP.exec(text)) {
    const [token] = found;
    if (token === '"') {
      last = [found.index, afterString(text, found.index)];
      STOP.lastIndex = last[1];
    } else if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const name = JSON.parse(text.slice(...last)) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return null;
}

/** Throws a SyntaxError for malformed JSON and for repeated names. */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const repeated = repeatedName(text);
  if (repeated !== null) throw new SyntaxError(`the name ${JSON.stringify(repeated)} is given twice`);
  return value;
}

/** What the parser of commented JSON misses or meets, in words. */
const EXPECTED: Readonly<Record<string, string>> = {
  InvalidSymbol: 'expected a value',
  InvalidNumberFormat: 'expected a number',
  PropertyNameExpected: 'expected a name in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected ":" after the name',
  CommaExpected: 'expected "," before what comes next',
  CloseBraceExpected: 'expected "}" at the end of the object',
  CloseBracketExpected: 'expected "]" at the end of the list',
  EndOfFileExpected: 'expected nothing after the value',
  UnexpectedEndOfComment: 'expected "*/" at the end of the comment',
  UnexpectedEndOfString: 'expected a double quote at the end of the text',
  UnexpectedEndOfNumber: 'expected digits',
  InvalidUnicode: 'expected four hexadecimal digits after \\u',
  InvalidEscapeCharacter: 'expected an escape such as \\n after "\\"',
  InvalidCharacter: 'expected no control character in a text: write it as an escape',
};

function faultAt(text: string, offset: number, what: string): SyntaxError {
  const before = text.slice(0, offset).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return new SyntaxError(`line ${before.length}, column ${column}: ${what}`);
}

/** The value of a tree without faults. Every name becomes an own member, even `__proto__`. */
function readTree(text: string, node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map((child) => readTree(text, child));
  if (node.type !== 'object') return node.value as unknown;
  const object: Record<string, unknown> = {};
  for (const { children: [name, value] = [] } of node.children ?? []) {
    if (name === undefined || value === undefined) throw faultAt(text, node.offset, 'expected a value');
    const key = String(name.value);
    if (Object.hasOwn(object, key))
      throw faultAt(text, name.offset, `expected a name once, got ${JSON.stringify(key)} twice`);
    Object.defineProperty(object, key, {
      ...{ value: readTree(text, value), enumerable: true, configurable: true, writable: true },
    });
  }
  return object;
}

/**
 * JSON that people write: with comments, `//` and `/* *\/`, and a comma behind the last member. Anything else that is no
 * JSON, and a name given twice in one object, is a SyntaxError that names line and column, both from 1.
 */
export function parseCommentedJson(text: string): unknown {
  try {
    const faults: ParseError[] = [];
    const tree = parseTree(text, faults, { allowTrailingComma: true });
    const [first] = faults;
    if (first !== undefined)
      throw faultAt(text, first.offset, EXPECTED[printParseErrorCode(first.error)] ?? 'expected JSON');
    if (tree === undefined) throw faultAt(text, 0, 'expected a value');
    return readTree(text, tree);
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError('expected fewer levels of lists and objects');
    throw error;
  }
}
