// Whether an output folder holds this very experiment: the fields that decide its results must be equal.
type Leaves = ReadonlyMap<string, string>;

/** Fields that change no network of the run: where and how often it is kept, what computes it, what it is held against. */
const NEUTRAL: ReadonlySet<string> = new Set([
  ...['output', 'checkpoint', 'device', 'threads', 'compare'],
  ...['data.root', 'data.workers', 'data.prefetch'],
]);
/** Paths of files: where they lie changes nothing, but whether there is one does. A store's images may have been encoded anew. */
const PLACES: ReadonlySet<string> = new Set(['data.store']);

function leavesOf(value: unknown, path = ''): [string, string][] {
  if (NEUTRAL.has(path)) return [];
  if (PLACES.has(path)) return [[path, 'given']];
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    inner === undefined ? [] : leavesOf(inner, path === '' ? key : `${path}.${key}`),
  );
}

export interface Difference {
  readonly field: string;
  readonly kept: string;
  readonly asked: string;
}

/** The first field in which two experiments, or the same parts of them, differ; or null. A run may go on for more stages than it was begun with. */
export function difference(kept: unknown, asked: unknown): Difference | null {
  const before: Leaves = new Map(leavesOf(kept));
  const after: Leaves = new Map(leavesOf(asked));
  for (const field of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(field), after.get(field)];
    if (one === other) continue;
    if (field === 'stop.stages' && Number(other) > Number(one)) continue;
    return { field, kept: one ?? 'nothing', asked: other ?? 'nothing' };
  }
  return null;
}
