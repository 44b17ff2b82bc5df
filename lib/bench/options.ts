// Options of bench splitting: their defaults, and what is refused.
import { SplitgrowError } from '../errors.js';
import type { Device } from '../native/face.js';
import { FIXED_IMAGES, INDEX_DEFAULTS } from '../split/indices/settings.js';

/** What `benchSplitting` times. */
export interface SplittingBenchOptions {
  /** A preset, whose `width` is set, or a network directory, whose widths are multiplied; weights are fresh. Default mobilenet_cifar100. */
  readonly network?: string | undefined;
  /** Pixels a side of a preset. */
  readonly resolution?: number | undefined;
  /** Further options of a preset (blocks, classes, activation ...). */
  readonly preset?: Readonly<Record<string, unknown>> | undefined;
  /** Default: 1, 2, 4 and 8 times the network's own. */
  readonly widths?: readonly number[] | undefined;
  /** Images that one sweep covers; default 50,000. */
  readonly images?: number | undefined;
  /** Images of the whole searches that are measured; default 2,048, as lobpcg takes; 0: none. */
  readonly wholeImages?: number | undefined;
  /** Rayleigh epochs; default 10, the paper's on CIFAR. */
  readonly epochs?: number | undefined;
  /** Images a minibatch; default 64, the paper's. */
  readonly batchSize?: number | undefined;
  /** Bytes that the exact method's sums may take at a time; default 1 GiB. */
  readonly memoryLimit?: number | undefined;
  /** Seconds that timing the steps of one width may take, and each whole search; default 30. */
  readonly timeLimit?: number | undefined;
  /** Timed repetitions of each step, fewer where the time limit asks for it; default 10. */
  readonly repeats?: number | undefined;
  /** Parts of the chains that are timed apart, at the widest network; default 4, 0: none. */
  readonly parts?: number | undefined;
  /** Seconds of the two whole searches that check the scaled ones; default 20, 0: none. */
  readonly checkSeconds?: number | undefined;
  /** Of weights and images; default 0. */
  readonly seed?: number | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
  /** Folder of splitting.json, .csv, .md, .html and .svg; default: nothing is written. */
  readonly out?: string | undefined;
}

export const DEFAULT_NETWORK = 'mobilenet_cifar100';

/** Images of CIFAR; epochs, minibatch and memory as in a splitting stage. */
export const DEFAULTS = {
  images: 50_000,
  wholeImages: FIXED_IMAGES,
  epochs: INDEX_DEFAULTS.epochs,
  batchSize: INDEX_DEFAULTS.batch,
  memoryLimit: INDEX_DEFAULTS.memoryLimit,
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
  for (const name of ['parts', 'seed', 'wholeImages'] as const)
    if (!(Number.isSafeInteger(all[name]) && all[name] >= 0))
      refuse(name, 'a whole number of 0 or more', all[name]);
  if (!(all.timeLimit > 0)) refuse('timeLimit', 'above 0', all.timeLimit);
  if (!(all.checkSeconds >= 0)) refuse('checkSeconds', '0 or more', all.checkSeconds);
  return all;
}
