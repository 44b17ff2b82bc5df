// Strict JSON: as JSON.parse, but a name given twice in one object is an error.

/** One token of interest: a string, or a bracket, colon or comma. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/gs;

/** The name of a member that an object has twice, or null. `text` is valid JSON. */
function repeatedName(text: string): string | null {
  // One set of names an open object, null for an open array.
  const open: (Set<string> | null)[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const name = JSON.parse(last) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
    last = token;
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
