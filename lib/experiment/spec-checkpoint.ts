// The `checkpoint` part of an experiment: how often a run is kept, and how much of it.
import { z } from 'zod';

export const CHECKPOINT = z.strictObject({
  /** Minutes of work, at most, that are lost when the process ends without warning; 0: only whole epochs are kept. */
  minutes: z.number().min(0).default(10),
  /** Checkpoints that stay: the newest, and older ones in case it cannot be read. */
  keep: z.int().min(1).default(2),
  /** Bytes, at most, of half-summed matrices of exact indices in a checkpoint; where they take more, their sweep begins anew. */
  indicesBytes: z
    .int()
    .min(0)
    .default(2 ** 28),
  /** The test images are evaluated after every so many epochs, and the best network of each stage is kept; 0: at a stage's end alone. */
  evaluateEvery: z.int().min(0).default(0),
});

export type CheckpointSpec = z.output<typeof CHECKPOINT>;
