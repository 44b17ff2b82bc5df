// What follows from the effects of an experiment's fields: with which other values a run may go on, which stage 0 it may take
// over, what is part of a figure's folder name, and what ranks compare.
import { isRecord } from '../../machine/files/json.js';
import { type Effect, ofStage } from './effects.js';
import { NO_FINISH } from './epochs.js';
import { EFFECTS, type Spec } from './experiment.js';

type Json = Readonly<Record<string, unknown>>;
type Keeps = (effect: Effect, field: string) => boolean;

const within = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** Of a field that another version knew and this one does not: nothing may depend on its having no effect. */
const UNKNOWN: Effect = { affects: 'weights' };

/** What a field affects; one inside a field, as `stop.costs.params` in `stop.costs`, is part of it. */
function effectOf(field: string): Effect {
  const found = EFFECTS.get(field);
  if (found !== undefined) return found;
  const end = field.lastIndexOf('.');
  return end < 0 ? UNKNOWN : effectOf(field.slice(0, end));
}

/** Whether any field in this part of the experiment is kept. */
function keepsAny(part: string, keeps: Keeps): boolean {
  const inside = [...EFFECTS].filter(([field]) => field.startsWith(`${part}.`));
  if (inside.length === 0) return keeps(effectOf(part), part);
  return inside.some(([field, effect]) => keeps(effect, field));
}

/** An experiment without the fields that are not kept, and without parts in which none is. */
function picked(value: Json, keeps: Keeps, path = ''): Json {
  const members = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const field = within(path, name);
    if (EFFECTS.has(field) || !isRecord(inner)) return keeps(effectOf(field), field) ? [[name, inner]] : [];
    return keepsAny(field, keeps) ? [[name, picked(inner, keeps, field)]] : [];
  });
  return Object.fromEntries(members);
}

/** Fields that decide networks: those that affect weights in any stage, and places where a path alone tells what lies there. */
const decides: Keeps = ({ affects, isContent = false }) =>
  affects === 'weights' || affects === 'after stage 0' || isContent;

/** What decides the networks of a run. Its seed is left out: a figure's folder is named by it besides. */
export function resultPart(spec: Spec): Json {
  return picked({ ...spec }, (effect, field) => decides(effect, field) && field !== 'seed');
}

/** What decides the fit of stage 0, and nothing else: two runs for which this is equal have one seed network. */
export function seedPart(spec: Spec): Json {
  const part = picked(
    withoutLast(spec),
    (effect, field) => decides(effect, field) && effect.affects !== 'after stage 0',
  );
  return firstStage(part) as Json;
}

/** An experiment that fits the seed network as `spec` does and nothing else: with its places and threads, without a name of its own. */
export function seedExperiment(spec: Spec): Json {
  const isOfMachine: Keeps = ({ affects, isPerMachine }) => affects === 'place' || isPerMachine === true;
  const part = picked(
    withoutLast(spec),
    (effect, field) =>
      isOfMachine(effect, field) || (decides(effect, field) && effect.affects !== 'after stage 0'),
  );
  return firstStage(part) as Json;
}

/** A field that takes one value a stage, or a part of which a list stands for one a stage, as `fit.schedule`. */
function isPerStage(path: string): boolean {
  return EFFECTS.get(path)?.isPerStage ?? [...EFFECTS.keys()].some((field) => field.startsWith(`${path}.`));
}

/** Lists that give each stage its own value, with that of stage 0 in their place. */
function firstStage(value: unknown, path = ''): unknown {
  if (Array.isArray(value) && isPerStage(path)) return firstStage(ofStage<object>(value, 0), path);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, firstStage(inner, within(path, name))]),
  );
}

/**
 * Without the finishing of the last stage, where that alone is finished: what growth goes on from, and what another run may take
 * over, does not depend on it.
 */
function withoutLast(spec: Spec): Json {
  const { fit } = spec;
  return fit.finish.stages === 'last' ? { ...spec, fit: { ...fit, finish: NO_FINISH } } : { ...spec };
}

/** What must be the same on all ranks. Each machine has its own places and threads; what lies in a place is compared by itself. */
export function rankPart(spec: Spec): Json {
  return picked({ ...spec }, ({ affects, isPerMachine = false }) => affects !== 'place' && !isPerMachine);
}

export interface Difference {
  readonly field: string;
  readonly kept: string;
  readonly asked: string;
}

const ABSENT = 'nothing';

function leavesOf(value: unknown, path = ''): [string, string][] {
  if (!isRecord(value)) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([name, inner]) =>
    inner === undefined ? [] : leavesOf(inner, within(path, name)),
  );
}

/** All fields in which two experiments, or the same parts of them, differ so that their networks may. */
function differences(kept: unknown, asked: unknown): readonly Difference[] {
  const [before, after] = [new Map(leavesOf(kept)), new Map(leavesOf(asked))];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((field) => {
    const [one, other] = [before.get(field), after.get(field)];
    if (one === other || !decides(effectOf(field), field)) return [];
    return [{ field, kept: one ?? ABSENT, asked: other ?? ABSENT }];
  });
}

/** The first field in which two experiments differ so that their networks may, or null. */
export function difference(kept: unknown, asked: unknown): Difference | null {
  return differences(kept, asked)[0] ?? null;
}

/** A run may go on for more stages than it was begun with. */
const isMore = ({ field, kept, asked }: Difference): boolean =>
  effectOf(field).mayRise === true && Number(asked) > Number(kept);

/** Whether the run may go on with the other value and tell so. A place that is given cannot be left out, nor the reverse. */
const isRemedy = ({ field, kept, asked }: Difference): boolean =>
  effectOf(field).remedy !== undefined && kept !== ABSENT && asked !== ABSENT;

/**
 * The first field that keeps a run from going on as `asked`, or null. A finished run takes no remedy that would have changed
 * its networks: it would be told as the result of settings that nothing was trained with.
 */
export function obstacle(
  kept: unknown,
  asked: unknown,
  { isFinished = false }: { readonly isFinished?: boolean } = {},
): Difference | null {
  const blocks = (found: Difference): boolean =>
    !isMore(found) && !(isRemedy(found) && (!isFinished || effectOf(found.field).suitsFinished === true));
  return differences(kept, asked).find(blocks) ?? null;
}

/** A field that a run goes on with otherwise than it was begun, and what is so from then on. */
export interface RemedyTaken extends Difference {
  readonly says: string;
}

/** The remedies that a run goes on with. */
export function remediesTaken(kept: unknown, asked: unknown): readonly RemedyTaken[] {
  return differences(kept, asked)
    .filter(isRemedy)
    .map((found) => ({ ...found, says: effectOf(found.field).remedy ?? '' }));
}

/** What gives a field back the value that a run was begun with, where it had one: a default may be another than in the version then. */
export function backTo({ field, kept }: Difference): string {
  return kept === ABSENT || field === 'the command' ? '' : `go on with --set ${field}='${kept}', or `;
}
