// The JSON Schema of an experiment file, from the schemas that check it (lib/run/spec).
import { z } from 'zod';
import { having, where } from '../conditions.js';
import { EXPERIMENT } from '../experiment.js';
import { FORMER_PLACES } from '../former-places.js';
import { DIRECTORY, GRAPH, PRESET } from '../network.js';
import type { JsonSchema } from './json-schema.js';
import { schemasAt } from './lookup.js';
import { networkSchema } from './network.js';

const WHOLE = EXPERIMENT.extend({
  // A graph is told by the schema of network.json.
  network: z.union([PRESET, DIRECTORY]).describe(EXPERIMENT.shape.network.description ?? ''),
}).meta({
  title: 'splitgrow experiment',
  description: 'One experiment: a network to start from, data, training, splitting, and when to stop.',
  allOf: [
    // Left out, the schedule is `steps`, but where a recipe has it constant.
    where(
      { fit: having({ finish: having({ epochs: { type: 'number', exclusiveMinimum: 0 } }) }) },
      { anyOf: [having({ recipe: { const: 'growth' } }), having({ fit: { required: ['schedule'] } })] },
    ),
  ],
});

type Properties = Readonly<Record<string, JsonSchema>>;

/** The methods' names that stand for their entries with every default. */
function methodsOf(items: JsonSchema): readonly unknown[] {
  const entries = (items.oneOf ?? items.anyOf ?? []) as readonly { readonly properties: Properties }[];
  return entries.map(({ properties }) => properties.method?.const);
}

/** What is delivered, by its name alone. */
function namesOf(deliver: JsonSchema | undefined): JsonSchema {
  const { which } = (deliver?.properties ?? {}) as Properties;
  return { enum: which?.enum };
}

/** A network by its graph: the parser leaves its members to `parseGraph`, the schema to that of network.json. */
const BY_GRAPH: JsonSchema = {
  type: 'object',
  properties: { graph: { description: GRAPH.shape.graph.description, $ref: '#/$defs/network' } },
  required: ['graph'],
  additionalProperties: false,
};

/** A field's schema for its former place: its fields are deprecated too. */
function deprecated(field: JsonSchema, now: string): JsonSchema {
  const inner = Object.entries((field.properties ?? {}) as Properties);
  const properties = inner.map(([name, one]) => [name, deprecated(one, `${now}.${name}`)] as const);
  return {
    ...field,
    ...(inner.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
    default: undefined,
    deprecated: true,
    description: `the same as \`${now}\``,
  };
}

/** The schema with a field at its former place too, which is deprecated there. */
function withFormer(schema: JsonSchema, [old, now]: readonly [string, string]): JsonSchema {
  const [field] = schemasAt(schema, now);
  const former = field === undefined ? {} : deprecated(field, now);
  const put = (part: JsonSchema, [name = '', ...rest]: readonly string[]): JsonSchema => {
    const properties = part.properties as Properties;
    const inner = rest.length > 0 ? put(properties[name] ?? {}, rest) : former;
    return { ...part, properties: { ...properties, [name]: inner } };
  };
  return put(schema, old.split('.'));
}

/**
 * The JSON Schema (draft 2020-12) of an experiment as it is written: members with a default may be left out. What the
 * parser takes besides its own types is added here: fields at their former places, rivals by their name alone.
 */
export function experimentSchema(): JsonSchema {
  const schema = z.toJSONSchema(WHOLE, { io: 'input' }) as JsonSchema;
  const properties = schema.properties as Properties;
  const { compare, deliver, network } = properties;
  const { $schema: _draft, $defs, ...graph } = networkSchema();
  const entry = compare?.items as JsonSchema;
  const whole = {
    ...schema,
    properties: {
      ...properties,
      network: { ...network, anyOf: [...((network?.anyOf ?? []) as readonly JsonSchema[]), BY_GRAPH] },
      deliver: {
        description: deliver?.description,
        anyOf: [namesOf(deliver), { ...deliver, description: undefined }],
      },
      compare: { ...compare, items: { anyOf: [{ enum: methodsOf(entry) }, entry] } },
    },
    $defs: { ...($defs as Properties), network: graph },
  };
  return Object.entries(FORMER_PLACES).reduce(withFormer, whole);
}
