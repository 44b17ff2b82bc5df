// Where fields of an experiment stood in older versions. Files that have them there are still read.
import { isDeepStrictEqual } from 'node:util';
import { SplitgrowError } from '../../errors.js';
import { isRecord } from '../../machine/files/json.js';

/** By their old paths: where the fields stand now. */
export const FORMER_PLACES: Readonly<Record<string, string>> = {
  shuffle: 'data.shuffle',
  'fit.shuffle': 'data.shuffle',
  // "energy" means joules.
  'splitting.energy': 'splitting.costEstimate',
};

type Json = Readonly<Record<string, unknown>>;
type Path = readonly string[];

function at(json: unknown, [name, ...rest]: Path): unknown {
  if (name === undefined) return json;
  return isRecord(json) && Object.hasOwn(json, name) ? at(json[name], rest) : undefined;
}

/** A copy with a value at a path, in parts that are there. */
function withValue(json: Json, [name = '', ...rest]: Path, value: unknown): Json {
  const inner = json[name];
  return { ...json, [name]: rest.length > 0 && isRecord(inner) ? withValue(inner, rest, value) : value };
}

function without(json: Json, [name = '', ...rest]: Path): Json {
  const { [name]: inner, ...others } = json;
  return rest.length > 0 && isRecord(inner) ? { ...others, [name]: without(inner, rest) } : others;
}

/** The experiment with every field where it stands now. @throws E_EXPERIMENT where old and new place disagree */
export function atPresentPlaces(json: Json): Json {
  return Object.entries(FORMER_PLACES).reduce((current, [old, now]) => {
    const [from, to] = [old.split('.'), now.split('.')];
    const [given, there] = [at(current, from), at(current, to)];
    // Where the part is missing, the whole is refused for that.
    if (given === undefined || !isRecord(at(current, to.slice(0, -1)))) return current;
    if (there !== undefined && !isDeepStrictEqual(there, given))
      throw new SplitgrowError(
        'E_EXPERIMENT',
        `${old}: ${now} is given as well, with another value; keep ${now}`,
      );
    return withValue(without(current, from), to, given);
  }, json);
}

/** One line for each field of `json` that stands at a former place. */
export function formerPlaceNotes(json: unknown): readonly string[] {
  return Object.entries(FORMER_PLACES)
    .filter(([old]) => at(json, old.split('.')) !== undefined)
    .map(([old, now]) => `${old} is now ${now}; the former name still works`);
}
