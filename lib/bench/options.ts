// Options of bench splitting: their defaults, and what is refused.
import { SplitgrowError } from '../errors.js';
import type { SplittingBenchOptions } from './documents.js';
import { DEFAULT_NETWORK } from './networks.js';

/** Images of CIFAR, epochs and minibatch of the paper. */
export const DEFAULTS = {
  images: 50_000,
  epochs: 10,
  batchSize: 64,
  memoryLimit: 2 ** 30,
  timeLimit: 30,
  repeats: 10,
  parts: 4,
  checkSeconds: 20,
  seed: 0,
  device: 'cpu',
  network: DEFAULT_NETWORK,
} as const;

/** The options with every default filled in. */
export type Given = SplittingBenchOptions & {
  readonly [K in keyof typeof DEFAULTS]: NonNullable<SplittingBenchOptions[K]>;
};

const WHOLE = ['images', 'epochs', 'batchSize', 'memoryLimit', 'repeats'] as const;

/** @throws E_ARGUMENT */
export function withDefaults(options: SplittingBenchOptions): Given {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const all = { ...DEFAULTS, ...given } as Given;
  const refuse = (name: string, expected: string, value: unknown): never => {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `bench splitting: expected ${name} to be ${expected}, got ${value}`,
    );
  };
  for (const name of WHOLE)
    if (!(Number.isSafeInteger(all[name]) && all[name] >= 1))
      refuse(name, 'a whole number of 1 or more', all[name]);
  for (const name of ['parts', 'seed'] as const)
    if (!(Number.isSafeInteger(all[name]) && all[name] >= 0))
      refuse(name, 'a whole number of 0 or more', all[name]);
  if (!(all.timeLimit > 0)) refuse('timeLimit', 'above 0', all.timeLimit);
  if (!(all.checkSeconds >= 0)) refuse('checkSeconds', '0 or more', all.checkSeconds);
  return all;
}
