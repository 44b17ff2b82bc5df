// Members of a JSON Schema by their dotted path, in every variant that has one.
import type { JsonSchema } from './json-schema.js';

const VARIANTS = ['anyOf', 'oneOf'] as const;

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The schema itself and, where it has variants, those. */
function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  const inner = VARIANTS.flatMap((key) => (Array.isArray(schema[key]) ? schema[key].filter(isSchema) : []));
  return [schema, ...inner.flatMap(variantsOf)];
}

/** The member of that name in every variant of an object. */
export function membersAt(schemas: readonly JsonSchema[], name: string): readonly JsonSchema[] {
  return schemas.flatMap(variantsOf).flatMap(({ properties }) => {
    const member = isSchema(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    return isSchema(member) ? [member] : [];
  });
}

/** The schemas at a path such as 'fit.schedule.warmup': one a variant that has it, none where it is unknown. */
export function schemasAt(schema: JsonSchema, path: string): readonly JsonSchema[] {
  return path.split('.').reduce<readonly JsonSchema[]>(membersAt, [schema]);
}
