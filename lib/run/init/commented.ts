// An experiment as JSON with comments. The comment above a member says what it does and its default, from the JSON Schema.
import { isRecord } from '../../machine/files/json.js';
import type { JsonSchema } from '../spec/schema/json-schema.js';
import { schemaFor } from '../spec/schema/lookup.js';

const COLUMNS = 110;
type Json = Readonly<Record<string, unknown>>;

/** Breaks a text into lines of comment. */
function comment(text: string, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + 3 + line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `${indent}// ${one}`);
}

/** "what it does; default 160" */
function saysOf(schema: JsonSchema | undefined): string | null {
  if (typeof schema?.description !== 'string') return null;
  const { description, default: fallback } = schema;
  const hasDefault = fallback !== undefined && !isRecord(fallback);
  return hasDefault ? `${description}; default ${JSON.stringify(fallback)}` : description;
}

function inline(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(inline).join(', ')}]` : JSON.stringify(value);
}

/** Lines of the members of `value`, whose schema is `schema`. `bare` are not explained. */
function members(value: Json, schema: JsonSchema | undefined, indent: string): readonly string[] {
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return entries.flatMap(([key, inner], at) => {
    const own = schema === undefined ? undefined : schemaFor(schema, value, key);
    const says = saysOf(own);
    const comma = at === entries.length - 1 ? '' : ',';
    const head = `${indent}${JSON.stringify(key)}: `;
    const body =
      isRecord(inner) && Object.keys(inner).length > 0
        ? [`${head}{`, ...members(inner, own, `${indent}  `), `${indent}}${comma}`]
        : [`${head}${inline(inner)}${comma}`];
    return [...(says === null ? [] : comment(says, indent)), ...body];
  });
}

/** The text of the file: `head` as comments, then every member with what it does. */
export function commented(experiment: Json, schema: JsonSchema, head: readonly string[]): string {
  const lines = head.flatMap((one) => comment(one, ''));
  return `${[...lines, '{', ...members(experiment, schema, '  '), '}'].join('\n')}\n`;
}
