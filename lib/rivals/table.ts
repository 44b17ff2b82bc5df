// The table of rivals. A new one is a file with its row and a line here: the experiment's schema, the run and the reports read it.
import type { z } from 'zod';
import type { Contest, Outcome } from './contest.js';
import { MORPHNET, MORPHNET_AUTHORS } from './morphnet.js';
import { RESOLUTION_MULTIPLIER, WIDTH_MULTIPLIER } from './multipliers.js';
import { PRUNE_BN, PRUNE_L1 } from './prune.js';
import type { Rival } from './rival.js';
import { RETRAIN, SCRATCH } from './scratch.js';

export const RIVALS = {
  'width-multiplier': WIDTH_MULTIPLIER,
  'resolution-multiplier': RESOLUTION_MULTIPLIER,
  'prune-l1': PRUNE_L1,
  'prune-bn': PRUNE_BN,
  morphnet: MORPHNET,
  'morphnet-authors': MORPHNET_AUTHORS,
  scratch: SCRATCH,
  retrain: RETRAIN,
} as const;

export type RivalMethod = keyof typeof RIVALS;

/** Trains the rivals of a contest with options that its method's schema has checked. */
export function trainRivals(
  contest: Contest & { readonly method: RivalMethod },
  options: Readonly<Record<string, unknown>>,
): Promise<readonly Outcome[]> {
  const row = RIVALS[contest.method] as Rival<z.ZodRawShape>;
  return row.train(contest, options);
}
