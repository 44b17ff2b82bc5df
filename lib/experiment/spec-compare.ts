// The `compare` part of an experiment: the rivals trained after the run, and their options.
import { z } from 'zod';

/** Rivals trained after the run, with its recipe and total epochs. */
export const COMPARE = z.array(z.enum(['width-multiplier'])).default([]);

export type CompareSpec = z.output<typeof COMPARE>;
