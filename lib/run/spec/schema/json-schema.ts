// JSON Schemas as plain data, and the schema of a field of the op table.
import type { Field } from '../../../graph/fields.js';

/** A JSON Schema, draft 2020-12, that is an object. */
export type JsonSchema = Readonly<Record<string, unknown>>;
export const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

function kindOf(field: Field): JsonSchema {
  switch (field.kind) {
    case 'integer':
      return { type: 'integer', minimum: field.min, maximum: field.max };
    case 'number':
      return field.below === undefined
        ? { type: 'number', minimum: field.min, maximum: field.max }
        : { type: 'number', minimum: field.min, exclusiveMaximum: field.below };
    case 'boolean':
      return { type: 'boolean' };
    case 'choice':
      return { type: 'string', enum: [...field.choices] };
  }
}

/** What `complaint` (lib/graph/fields.ts) asks of a value; a default that follows from other fields is left out. */
export function fieldSchema(field: Field): JsonSchema {
  const known =
    field.default === undefined || typeof field.default === 'function' ? {} : { default: field.default };
  return { description: field.about, ...kindOf(field), ...known };
}
