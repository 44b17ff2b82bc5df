// Whether an output folder holds this very experiment: the fields that decide its results must be equal.
type Leaves = ReadonlyMap<string, string>;

/** Fields that change no network of the run: where and how often it is kept, what computes it, what it is held against. */
const NEUTRAL: ReadonlySet<string> = new Set([
  ...['output', 'checkpoint', 'device', 'threads', 'compare'],
  ...['data.root', 'data.workers', 'data.prefetch'],
]);
/** Paths of files: where they lie changes nothing, but whether there is one does. A store's images may have been encoded anew. */
const PLACES: ReadonlySet<string> = new Set(['data.store']);

/**
 * Fields that messages name as remedies, and what is so from the change on: a run that has stopped can take the remedy and go
 * on. They change results, so that a note and run.json tell of the change.
 */
export const REMEDIES: Readonly<Record<string, string>> = {
  'data.skipUnreadable': 'an image that turns unreadable is left out of its minibatch, or ends the run',
  'fit.optimizer.learningRate': 'rates follow from the new one',
  'fit.schedule.warmup': 'rates follow from the new one',
  'fit.gradientClip': 'gradients are clipped as it says',
  'fit.precision': 'layers multiply in it',
  'fit.microBatch': 'minibatches are cut into other pieces',
  'fit.evaluationBatch': 'evaluations round otherwise',
  'splitting.epsilon': 'later stages take it',
  'splitting.lineSearch.grid': 'later stages search it',
  'splitting.memoryLimit': 'matrices of exact indices are cut in another way',
};

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

/** All fields in which two experiments, or the same parts of them, differ. A run may go on for more stages than it was begun with. */
function differences(kept: unknown, asked: unknown): readonly Difference[] {
  const before: Leaves = new Map(leavesOf(kept));
  const after: Leaves = new Map(leavesOf(asked));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((field) => {
    const [one, other] = [before.get(field), after.get(field)];
    if (one === other || (field === 'stop.stages' && Number(other) > Number(one))) return [];
    return [{ field, kept: one ?? 'nothing', asked: other ?? 'nothing' }];
  });
}

const isRemedy = ({ field }: Difference): boolean => Object.hasOwn(REMEDIES, field);

/** The first field in which two experiments differ, or null. */
export function difference(kept: unknown, asked: unknown): Difference | null {
  return differences(kept, asked)[0] ?? null;
}

/** Remedies that say nothing untrue of a run that has nothing left to train. */
const HARMLESS: ReadonlySet<string> = new Set(['data.skipUnreadable']);

/**
 * The first field that keeps a run from going on as `asked`, or null. A finished run takes no remedy that would have changed
 * its networks: it would be told as the result of settings that nothing was trained with.
 */
export function obstacle(
  kept: unknown,
  asked: unknown,
  { isFinished = false }: { readonly isFinished?: boolean } = {},
): Difference | null {
  const blocks = (found: Difference) => !isRemedy(found) || (isFinished && !HARMLESS.has(found.field));
  return differences(kept, asked).find(blocks) ?? null;
}

/** The fields that a run goes on with otherwise than it was begun. */
export function remediesTaken(kept: unknown, asked: unknown): readonly Difference[] {
  return differences(kept, asked).filter(isRemedy);
}

/** What gives a field back the value that a run was begun with, where it had one: a default may be another than in the version then. */
export function backTo({ field, kept }: Difference): string {
  return kept === 'nothing' || field === 'the command' ? '' : `go on with --set ${field}='${kept}', or `;
}
