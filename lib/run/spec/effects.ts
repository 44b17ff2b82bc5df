// What each field of an experiment affects, said in its own row of the schema. What may differ where a run goes on, what a
// stage 0 may be taken over from, what names a figure's folder and what ranks compare follow from it (differences.ts).
import { z } from 'zod';

/**
 * What another value of a field changes:
 *
 * - `weights`: the networks from stage 0 on, or what is measured of them;
 * - `after stage 0`: the networks of later stages alone;
 * - `place`: nothing, as long as the same files lie in the other place;
 * - `nothing`: no network; what a run is called, how often it is kept, how fast it is.
 */
export type Affects = 'weights' | 'after stage 0' | 'place' | 'nothing';

/** What a row may say besides. */
export interface EffectFacts {
  /**
   * A run that has stopped may go on with another value, and says so: the text is what is so from then on. Without it, a value
   * that affects networks stays as it is.
   */
  readonly remedy?: string;
  /** The remedy also suits a run that has nothing left to train: it changes none of the networks that are there. */
  readonly suitsFinished?: true;
  /** Of a number: a run may go on with a larger one. */
  readonly mayRise?: true;
  /** Of a list that gives each stage its own value: stage 0 depends on the first alone. */
  readonly isPerStage?: true;
  /** Of a place: no other field tells what lies there, so another place is taken for other files. */
  readonly isContent?: true;
  /** Each machine of a run over several ranks may have its own. */
  readonly isPerMachine?: true;
}

/** All that is known of what a field affects. */
export interface Effect extends EffectFacts {
  readonly affects: Affects;
}

const REGISTRY = z.registry<Effect>();

declare const TOLD: unique symbol;
interface Told {
  readonly [TOLD]: true;
}
/** A schema that says what its field affects. Only the functions below make one, so a field that does not say it does not compile. */
export type Field<S extends z.ZodType = z.ZodType> = S & Told;

const rowOf =
  (affects: Affects) =>
  <S extends z.ZodType>(schema: S, facts: EffectFacts = {}): Field<S> => {
    REGISTRY.add(schema, { affects, ...facts });
    return schema as Field<S>;
  };

export const weights = rowOf('weights');
export const afterStage0 = rowOf('after stage 0');
export const place = rowOf('place');
export const nothing = rowOf('nothing');

/** A field that holds others, each of which says what it affects. */
export function group<S extends z.ZodType>(schema: S): Field<S> {
  return schema as Field<S>;
}

/** An object of fields: `part({ seed: weights(z.int()), fit: group(FIT) })`. Unknown fields are refused. */
export function part<T extends Readonly<Record<string, Field>>>(fields: T): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(fields);
}

function collect(schema: z.core.$ZodType, path: string, found: Map<string, Effect>): void {
  const effect = REGISTRY.get(schema);
  if (effect !== undefined) {
    found.set(path, effect);
    return;
  }
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if ('innerType' in def) collect(def.innerType, path, found);
  if (def.type === 'union') for (const option of def.options) collect(option, path, found);
  if (def.type !== 'object') return;
  for (const [name, inner] of Object.entries(def.shape))
    collect(inner, path === '' ? name : `${path}.${name}`, found);
}

/** What every field affects, by its path, such as "fit.optimizer.learningRate"; variants of a part together. */
export function effectsIn(schema: z.core.$ZodType): ReadonlyMap<string, Effect> {
  const found = new Map<string, Effect>();
  collect(schema, '', found);
  return found;
}

/** Of a field that is one value for all stages, or a list whose last one holds for every later stage: that of one stage, from 0. */
export function ofStage<T extends number | string | object>(value: T | readonly T[], stage: number): T {
  return Array.isArray(value)
    ? ((value as readonly T[])[Math.min(stage, value.length - 1)] as T)
    : (value as T);
}
