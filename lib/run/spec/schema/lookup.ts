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

/** Whether a value may be of this variant, by the members that tell variants apart: constants, choices and what is required. */
function suits({ properties, required }: JsonSchema, value: JsonSchema): boolean {
  const names = Array.isArray(required) ? (required as readonly string[]) : [];
  if (names.some((name) => !Object.hasOwn(value, name))) return false;
  return Object.entries(isSchema(properties) ? properties : {}).every(([name, member]) => {
    if (!isSchema(member) || !Object.hasOwn(value, name)) return true;
    if (member.const !== undefined) return member.const === value[name];
    return !Array.isArray(member.enum) || member.enum.includes(value[name]);
  });
}

/** The schema of a member of `value`, in the variant that the value is of; undefined where none has it. */
export function schemaFor(schema: JsonSchema, value: JsonSchema, name: string): JsonSchema | undefined {
  for (const variant of variantsOf(schema)) {
    const { properties } = variant;
    if (!isSchema(properties) || !Object.hasOwn(properties, name) || !suits(variant, value)) continue;
    const member = properties[name];
    if (isSchema(member)) return member;
  }
  return undefined;
}
