// The published schema files: their names, where they lie in the package, and what they hold.
import { fileURLToPath } from 'node:url';
import { experimentSchema } from './experiment.js';
import type { JsonSchema } from './json-schema.js';

export { experimentInputText } from './input-types.js';

import { networkSchema } from './network.js';

/** Folder of the schema files in the package. */
export const SCHEMA_FOLDER = fileURLToPath(new URL('../../../../schema', import.meta.url));

export const SCHEMAS: Readonly<Record<string, () => JsonSchema>> = {
  'experiment.schema.json': experimentSchema,
  'network.schema.json': networkSchema,
};

/** The types of an experiment as it is written, from the root of the repository. */
export const INPUT_TYPES = 'lib/run/spec/experiment-input.ts';

/** Text of a schema file; equal code gives equal bytes. */
export function schemaText(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
