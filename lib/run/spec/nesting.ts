// How deep an experiment may nest: what checks it calls itself once a level.
import { SplitgrowError } from '../../errors.js';

/** Levels of lists and objects; no field lies deeper than a third of it. */
const MOST_LEVELS = 32;

/** Throws E_EXPERIMENT where lists and objects nest too deep, in each other or in themselves. */
export function refuseDeep(json: unknown): void {
  let level: readonly unknown[] = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) {
      throw new SplitgrowError(
        'E_EXPERIMENT',
        `expected lists and objects within each other at most ${MOST_LEVELS} levels deep, found more`,
      );
    }
    // As a name in an object it is no member like others: what checks the rest passes it over, so it would be dropped unseen.
    if (
      level.some((value) => typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__'))
    ) {
      throw new SplitgrowError(
        'E_EXPERIMENT',
        'expected names of fields, costs and layers, found "__proto__", which is none; take it out',
      );
    }
    // Functions of a caller's own costs and graphs hold nothing that is checked here.
    level = [...new Set(level)].flatMap((value) =>
      typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) ? Object.values(value) : [],
    );
  }
}
