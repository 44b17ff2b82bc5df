// A rival: one row of the table.
import type { z } from 'zod';
import type { Contest, Outcome } from './contest.js';

/** Options of a rival, checked and with every default. */
export type OptionsOf<Options extends z.ZodRawShape> = z.output<z.ZodObject<Options>>;

/** What is to be said of one rival: all places that list rivals read it here. */
export interface Rival<Options extends z.ZodRawShape> {
  /** Its name for people: "Pruning (Bn)". */
  readonly label: string;
  /** Fields of an entry of `compare` besides the targets, with their meaning and their defaults. */
  readonly options: Options;
  /** `baseMultiplier` of a widest base where the entry leaves it out. */
  readonly baseMultiplier?: number;
  /** True where it trains the grown architectures themselves: then it cannot be held against MACs alone. */
  readonly needsGrown?: boolean;
  /** One finished network a target. */
  readonly train: (contest: Contest, options: OptionsOf<Options>) => Promise<readonly Outcome[]>;
}

/** The row as it is, its types inferred. */
export function rival<const Options extends z.ZodRawShape>(row: Rival<Options>): Rival<Options> {
  return row;
}
