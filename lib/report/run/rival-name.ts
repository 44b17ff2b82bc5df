// What a rival is called in tables and figures.

import type { RivalRecord } from '../../run/store/records.js';
import { decimal } from '../../statistics/format.js';

type Named = Pick<RivalRecord, 'label' | 'multiplier' | 'resolution' | 'stage'>;

/** "Width multiplier 2.49x", "Resolution multiplier 24 px" */
export function rivalName({ label, multiplier, resolution }: Omit<Named, 'stage'>): string {
  // Of a network on smaller images the resolution tells it from the others.
  if (resolution !== null) return `${label} ${resolution} px`;
  return multiplier === null ? label : `${label} ${decimal(multiplier, 2)}x`;
}

/** The same with the stage that it is held against: "Pruning (Bn), stage 3" */
export function rivalNameAt(rival: Named): string {
  return rival.stage === null ? rivalName(rival) : `${rivalName(rival)}, stage ${rival.stage}`;
}
