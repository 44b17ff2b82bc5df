// The fields of an experiment that hold no other fields, by their paths, as its JSON Schema has them.

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The alternatives of a schema: itself, or what it may be one of. */
function alternativesOf(schema: Json): readonly Json[] {
  const others = [schema.anyOf, schema.oneOf].flatMap((list) =>
    Array.isArray(list) ? (list as Json[]) : [],
  );
  return others.length > 0 ? [schema, ...others.flatMap(alternativesOf)] : [schema];
}

function walk(schema: Json, path: string, found: Set<string>): void {
  const members = alternativesOf(schema).flatMap(({ properties }) =>
    isObject(properties) ? Object.entries(properties) : [],
  );
  // Of a list of objects, as `compare`, the fields of its entries.
  const items = alternativesOf(schema).flatMap((one) => (isObject(one.items) ? [one.items] : []));
  const isList = items.some((one) => alternativesOf(one).some(({ properties }) => properties !== undefined));
  if (isList) for (const one of items) walk(one, path, found);
  if (members.length === 0 && !isList && path !== '') found.add(path);
  for (const [name, inner] of members)
    if (isObject(inner)) walk(inner, path === '' ? name : `${path}.${name}`, found);
}

/** Paths such as "fit.optimizer.learningRate", sorted. A graph within an experiment is one field. */
export function leavesOf(schema: Json): readonly string[] {
  const found = new Set<string>();
  walk(schema, '', found);
  return [...found].sort();
}
