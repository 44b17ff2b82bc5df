// The `checkpoint` part of an experiment: how often a run is kept, and how much of it.
import { z } from 'zod';
import { nothing, part } from './effects.js';

export const CHECKPOINT = part({
  minutes: nothing(
    z
      .number()
      .min(0)
      .default(10)
      .describe('most minutes of work that a kill loses; 0: checkpoints only after epochs'),
  ),
  keep: nothing(z.int().min(1).default(2).describe('how many checkpoints stay')),
  indicesBytes: nothing(
    z
      .int()
      .min(0)
      .default(2 ** 28)
      .describe(
        'most bytes of half-summed exact matrices in a checkpoint; larger sums start again after a kill',
      ),
  ),
  evaluateEvery: nothing(
    z
      .int()
      .min(0)
      .default(0)
      .describe(
        'epochs between evaluations; the best network of each stage is kept; 0: only at the end of a stage',
      ),
  ),
});

/** The `checkpoint` part of an experiment, checked, with every default; its fields are those of the reference. */
export interface CheckpointSpec extends z.output<typeof CHECKPOINT> {}
