// The `checkpoint` part of an experiment: how often a run is kept, and how much of it.
import { z } from 'zod';

export const CHECKPOINT = z.strictObject({
  minutes: z
    .number()
    .min(0)
    .default(10)
    .describe('minutes of work, at most, that a kill loses; 0: whole epochs alone are kept'),
  keep: z
    .int()
    .min(1)
    .default(2)
    .describe('checkpoints that stay: the newest, and older ones in case it cannot be read'),
  indicesBytes: z
    .int()
    .min(0)
    .default(2 ** 28)
    .describe(
      'bytes, at most, of half-summed matrices of exact indices in a checkpoint; where they take more, their sweep begins anew',
    ),
  evaluateEvery: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "epochs between evaluations on the test images, whose best network of each stage is kept; 0: at a stage's end alone",
    ),
});

/** The `checkpoint` part of an experiment, checked, with every default; its fields are those of the reference. */
export interface CheckpointSpec extends z.output<typeof CHECKPOINT> {}
