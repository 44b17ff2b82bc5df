// Learning rate schedules: one rate for every minibatch of every epoch.
import { SplitgrowError } from '../errors.js';
import { didYouMean, row } from '../graph/fields.js';

/**
 * constant: the same rate throughout.
 * steps: the rate times `factor` from each epoch of `at` on; epochs count from 0, so `at: [80]` changes it after 80 epochs.
 * cosine: over the first `warmup` epochs the rate rises in equal steps, one a minibatch, the last of them at the full
 *   rate; then rate * (1 + cos(pi t / T)) / 2 with t = 0 .. T - 1 the minibatches since, T all of them
 *   (Loshchilov and Hutter 2017, without restarts): it starts at the full rate and would reach 0 at T, or with `final` F
 *   the rate times F, the factor being F + (1 - F) of the one above.
 * wsd: warm-up as with cosine, then the full rate, and over the last `decay` epochs a line that would reach 0 at the end
 *   (warm-up, stable, decay: Hu et al. 2024; Haegele et al. 2024 show that it keeps up with cosine).
 */
export type Schedule =
  | { readonly kind: 'constant' }
  | { readonly kind: 'steps'; readonly at: readonly number[]; readonly factor: number }
  | { readonly kind: 'cosine'; readonly warmup?: number; readonly final?: number }
  | { readonly kind: 'wsd'; readonly warmup?: number; readonly decay: number };

export interface ScheduleOptions {
  /** The full rate. */
  readonly learningRate: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/** Rate of minibatch `step` (over all epochs, from 0) as a factor of the full rate. */
type Factor<S extends Schedule> = (schedule: S, options: ScheduleOptions, step: number) => number;

const SCHEDULES: { readonly [K in Schedule['kind']]: Factor<Extract<Schedule, { kind: K }>> } = {
  constant: () => 1,
  steps: ({ at, factor }, { stepsPerEpoch }, step) => {
    const epoch = Math.floor(step / stepsPerEpoch);
    return factor ** at.filter((start) => start <= epoch).length;
  },
  cosine: ({ warmup = 0, final = 0 }, { epochs, stepsPerEpoch }, step) => {
    const rising = Math.round(warmup * stepsPerEpoch);
    if (step < rising) return (step + 1) / rising;
    const falling = (1 + Math.cos((Math.PI * (step - rising)) / (epochs * stepsPerEpoch - rising))) / 2;
    return final + (1 - final) * falling;
  },
  wsd: ({ warmup = 0, decay }, { epochs, stepsPerEpoch }, step) => {
    const rising = Math.round(warmup * stepsPerEpoch);
    if (step < rising) return (step + 1) / rising;
    const left = epochs * stepsPerEpoch - step;
    return Math.min(1, left / Math.max(1, Math.round(decay * stepsPerEpoch)));
  },
};

/**
 * The rates of an epoch, one a minibatch in order.
 *
 * @returns A function of the epoch, from 0 to epochs - 1.
 * @throws E_ARGUMENT for options that are no schedule, and for an epoch out of range.
 */
export function learningRates(schedule: Schedule, options: ScheduleOptions): (epoch: number) => Float64Array {
  const { learningRate, epochs, stepsPerEpoch } = options;
  const isWhole = (value: number): boolean => Number.isInteger(value) && value >= 1;
  if (!(Number.isFinite(learningRate) && learningRate >= 0) || !isWhole(epochs) || !isWhole(stepsPerEpoch)) {
    const wanted = 'a learning rate of 0 or more, and whole numbers of epochs and steps from 1';
    throw new SplitgrowError(
      'E_ARGUMENT',
      `schedule: needs ${wanted}, got ${learningRate}, ${epochs}, ${stepsPerEpoch}`,
    );
  }
  const factorOf = row(SCHEDULES as Readonly<Record<string, Factor<Schedule>>>, schedule.kind);
  if (factorOf === undefined) {
    const near = didYouMean(String(schedule.kind), Object.keys(SCHEDULES));
    throw new SplitgrowError('E_ARGUMENT', `schedule: there is no kind "${schedule.kind}"${near}`);
  }
  const warmup = 'warmup' in schedule ? (schedule.warmup ?? 0) : 0;
  if (!(warmup >= 0 && warmup < epochs)) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `schedule: warmup must be from 0 to below ${epochs} epochs, got ${warmup}`,
    );
  }
  if (schedule.kind === 'cosine' && !((schedule.final ?? 0) >= 0 && (schedule.final ?? 0) < 1)) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `schedule: final must be from 0 to below 1, got ${schedule.final}`,
    );
  }
  if (schedule.kind === 'wsd' && !(schedule.decay >= 0 && warmup + schedule.decay <= epochs)) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `schedule: warmup and decay must fit into ${epochs} epochs, got ${warmup} and ${schedule.decay}`,
    );
  }
  return (epoch) => {
    if (!Number.isInteger(epoch) || epoch < 0 || epoch >= epochs) {
      throw new SplitgrowError(
        'E_ARGUMENT',
        `schedule: the epoch must be from 0 to ${epochs - 1}, got ${epoch}`,
      );
    }
    const start = epoch * stepsPerEpoch;
    return Float64Array.from(
      { length: stepsPerEpoch },
      (_, i) => learningRate * factorOf(schedule, options, start + i),
    );
  };
}
