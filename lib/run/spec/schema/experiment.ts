// The JSON Schema of an experiment file, from the schemas that check it (lib/run/spec).
import { z } from 'zod';
import { EXPERIMENT } from '../experiment.js';
import { DIRECTORY, GRAPH, PRESET } from '../network.js';
import type { JsonSchema } from './json-schema.js';
import { networkSchema } from './network.js';

const WHOLE = EXPERIMENT.extend({
  // A graph is told by the schema of network.json.
  network: z.union([PRESET, DIRECTORY]).describe(EXPERIMENT.shape.network.description ?? ''),
}).meta({
  title: 'splitgrow experiment',
  description: 'One experiment: a network to start from, data, training, splitting, and when to stop.',
});

type Properties = Readonly<Record<string, JsonSchema>>;
const SHUFFLE: JsonSchema = { type: 'boolean', description: 'the same as `data.shuffle`' };

/** The methods' names that stand for their entries with every default. */
function methodsOf(items: JsonSchema): readonly unknown[] {
  const entries = (items.oneOf ?? items.anyOf ?? []) as readonly { readonly properties: Properties }[];
  return entries.map(({ properties }) => properties.method?.const);
}

/** A network by its graph: the parser leaves its members to `parseGraph`, the schema to that of network.json. */
const BY_GRAPH: JsonSchema = {
  type: 'object',
  properties: { graph: { description: GRAPH.shape.graph.description, $ref: '#/$defs/network' } },
  required: ['graph'],
  additionalProperties: false,
};

/**
 * The JSON Schema (draft 2020-12) of an experiment as it is written: members with a default may be left out. What the
 * parser takes besides its own types is added here: `shuffle` in other places, rivals by their name alone.
 */
export function experimentSchema(): JsonSchema {
  const schema = z.toJSONSchema(WHOLE, { io: 'input' }) as JsonSchema;
  const properties = schema.properties as Properties;
  const { fit, compare, network } = properties;
  const { $schema: _draft, $defs, ...graph } = networkSchema();
  const entry = compare?.items as JsonSchema;
  return {
    ...schema,
    properties: {
      ...properties,
      network: { ...network, anyOf: [...((network?.anyOf ?? []) as readonly JsonSchema[]), BY_GRAPH] },
      fit: { ...fit, properties: { ...(fit?.properties as Properties), shuffle: SHUFFLE } },
      compare: { ...compare, items: { anyOf: [{ enum: methodsOf(entry) }, entry] } },
      shuffle: SHUFFLE,
    },
    $defs: { ...($defs as Properties), network: graph },
  };
}
