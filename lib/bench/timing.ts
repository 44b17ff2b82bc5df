// Times the steps of one network within limits of time and memory; what does not fit is left out, with the reason.
import { isSplitgrowError } from '../errors.js';
import { NOWHERE, underControl } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { BenchOptions, BenchResult, DatasetHandle } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { seconds } from '../statistics/format.js';
import type { Network } from '../train/network.js';
import { type LeftOut, STEP_NAMES, type StepName, type Steps, type StepTime } from './documents.js';
import { type Experience, expectationOf, memoryReason, type Place } from './expected.js';
import { median } from './images.js';
import type { Extent } from './search.js';

const WHAT: Readonly<Record<StepName, BenchOptions['what']>> = {
  trainStep: 'train',
  rayleighStep: 'rayleigh',
  auxiliaryStep: 'auxiliary',
  exactStep: 'exact',
  eigensolver: 'eigen',
};
/** Rounds after the short first one. The steps take turns in each, so that a slow spell of the machine hits all of them. */
const ROUNDS = 3;

/** Share of the time limit. A training step that takes less is run twice before the times of other steps are expected from it. */
const WARM_SHARE = 0.1;

export interface Limits extends Place {
  /** Seconds for all steps of a network. */
  readonly timeLimit: number;
  readonly repeats: number;
}

/** What a width is timed with. */
export interface Settings extends Extent, Limits {
  readonly seed: number;
  /** Of the whole searches; 0: none. */
  readonly wholeImages: number;
}

export interface Subject {
  readonly network: Network;
  readonly data: DatasetHandle;
  /** The steps to time; all where absent. */
  readonly steps?: readonly StepName[];
  /** The chains whose indices are computed; all where absent. */
  readonly chains?: readonly boolean[];
}

export interface TimingOptions {
  readonly limits: Limits;
  readonly experience: Experience;
  readonly control: RunControl;
  /** Told before each step is run, or left out. */
  readonly onStep?: (() => void) | undefined;
}

export interface Timed {
  readonly steps: Steps;
  /** Of an exact pass; 0 where it was not run. */
  readonly sweeps: number;
}

interface Tally {
  readonly milliseconds: number[];
  peakBytes: number;
  readonly sweeps: number;
}

export function isOutOfMemory(error: unknown): error is Error {
  return (
    isSplitgrowError(error) &&
    error.code === 'E_NATIVE' &&
    /out of memory|can't allocate|bad_alloc/i.test(error.message)
  );
}

function timeReason(expected: number, limit: number): string | null {
  if (expected <= limit) return null;
  return `time: one minibatch would take about ${seconds(expected)} s, the limit is ${seconds(limit)} s`;
}

type RunStep = (step: StepName, repeats: number) => Promise<BenchResult>;

function runner({ network, data, chains }: Subject, { limits, control }: TimingOptions): RunStep {
  const { batch, memoryLimit } = limits;
  const fixed = { batch, memoryLimit, warmup: 0, ...(chains === undefined ? {} : { chains }) };
  return (step, repeats) =>
    underControl(control, { ...NOWHERE, phase: 'bench' }, (_progress, abort) =>
      loadCore().bench(network.handle, data, { ...fixed, what: WHAT[step], repeats }, abort),
    );
}

/** The first time of every step: it warms up, and tells how often there is time for more. */
async function firstTimes(
  { network, steps = STEP_NAMES }: Subject,
  { limits, experience, onStep }: TimingOptions,
  run: RunStep,
): Promise<{
  readonly tallies: ReadonlyMap<StepName, Tally>;
  readonly reasons: ReadonlyMap<StepName, string>;
  readonly seconds: number;
}> {
  const tallies = new Map<StepName, Tally>();
  const reasons = new Map<StepName, string>();
  const expectation = expectationOf(network.graph, limits, experience);
  let spent = 0;
  for (const step of steps) {
    onStep?.();
    const reason =
      reasons.get('trainStep') ??
      memoryReason(step, network.graph, limits) ??
      timeReason(expectation.of(step), limits.timeLimit);
    if (reason !== null) {
      reasons.set(step, reason);
      continue;
    }
    try {
      const start = performance.now();
      const { milliseconds, peakBytes, stateBytes, sweeps } = await run(step, 1);
      let wall = (performance.now() - start) / 1000;
      spent += wall;
      // What is expected of all others begins with this one: warm, where that costs little.
      if (step === 'trainStep' && wall < WARM_SHARE * limits.timeLimit) {
        const again = performance.now();
        await run(step, 1);
        wall = Math.min(wall, (performance.now() - again) / 1000);
      }
      expectation.learn(step, wall);
      tallies.set(step, { milliseconds: [...milliseconds], peakBytes: peakBytes + stateBytes, sweeps });
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      reasons.set(step, `memory: ${error.message}`);
    }
  }
  return { tallies, reasons, seconds: spent };
}

/**
 * Round after round of all steps until each was run `repeats` times or the time is up: a short round that tells the
 * pace, then longer ones.
 */
async function moreRounds(
  tallies: ReadonlyMap<StepName, Tally>,
  { limits: { repeats, timeLimit }, onStep }: TimingOptions,
  { run, seconds: once }: { readonly run: RunStep; readonly seconds: number },
): Promise<void> {
  let [done, spent, pace] = [0, once, once];
  while (done < repeats && tallies.size > 0) {
    const most = done === 0 ? 1 : Math.min(Math.ceil(repeats / ROUNDS), repeats - done);
    const here = Math.min(most, Math.floor((timeLimit - spent) / pace));
    if (here < 1) return;
    const start = performance.now();
    for (const [step, tally] of tallies) {
      onStep?.();
      const { milliseconds, peakBytes, stateBytes } = await run(step, here);
      // The first time of all was the warm-up.
      if (done === 0) tally.milliseconds.length = 0;
      tally.milliseconds.push(...milliseconds);
      tally.peakBytes = Math.max(tally.peakBytes, peakBytes + stateBytes);
    }
    const wall = (performance.now() - start) / 1000;
    [done, spent, pace] = [done + here, spent + wall, wall / here];
  }
}

/**
 * Medians over `repeats` times of each step on the first minibatch, fewer where the time limit asks for it; of a step
 * that there is time for only once, that one time.
 */
export async function timeSteps(subject: Subject, options: TimingOptions): Promise<Timed> {
  const run = runner(subject, options);
  const { tallies, reasons, seconds: once } = await firstTimes(subject, options, run);
  await moreRounds(tallies, options, { run, seconds: once });
  const found = (step: StepName): StepTime | LeftOut => {
    const tally = tallies.get(step);
    if (tally === undefined) return { leftOut: reasons.get(step) ?? 'not asked for' };
    const { milliseconds, peakBytes } = tally;
    const least = Math.min(...milliseconds);
    return { medianMs: median(milliseconds), leastMs: least, repeats: milliseconds.length, peakBytes };
  };
  return {
    steps: {
      trainStep: found('trainStep'),
      rayleighStep: found('rayleighStep'),
      auxiliaryStep: found('auxiliaryStep'),
      exactStep: found('exactStep'),
      eigensolver: found('eigensolver'),
    },
    sweeps: tallies.get('exactStep')?.sweeps ?? 0,
  };
}
