// What fields of an experiment ask of each other, as JSON Schema says it: beside each refinement that it can express.
// A comparison of two numbers it cannot; test/schema holds both to the same files.

type Json = Readonly<Record<string, unknown>>;

/** Objects whose members are all there and as said. */
export function having(members: Json): Json {
  return { properties: members, required: Object.keys(members) };
}

/** No object has all of these members, as said. */
export function never(members: Json): Json {
  return { not: having(members) };
}

/** Where an object has these members as said, it must be `then` as well. */
export function where(members: Json, then: Json): Json {
  return { if: having(members), then };
}

/** Any value. */
export const GIVEN: Json = {};
