// What the events of a run say on a meter: phase, stage, epoch, images a second, time left.
import type { Phase, ProgressEvent, RunEvent } from '../native/events.js';
import { clock, decimal, integer, percent } from '../statistics/format.js';
import type { Meter } from './meter.js';

const PHASES: Readonly<Record<Phase, string>> = {
  load: 'loading',
  fit: 'fitting',
  evaluate: 'evaluating',
  indices: 'indices',
  select: 'choosing',
  grow: 'growing',
  checkpoint: 'saving',
  bench: 'timing',
  pack: 'packing',
  verify: 'comparing',
};

/** When a phase was first heard of, and how far it was then. */
interface Start {
  readonly key: string;
  readonly at: number;
  readonly fraction: number;
}

/** Share of a phase that is done, all of its epochs counted. */
export function fractionOf({ epoch, epochs, progress }: ProgressEvent): number {
  const inEpoch = progress.total > 0 ? progress.done / progress.total : 0;
  return Math.min(1, epochs > 0 ? (epoch + inEpoch) / epochs : inEpoch);
}

/** The words beside the bar. */
export function describeProgress(event: ProgressEvent, secondsLeft: number): string {
  const { progress, epoch, epochs, phase } = event;
  const parts = [
    PHASES[phase],
    epochs > 1 ? `epoch ${epoch + 1}/${epochs}` : '',
    progress.seconds > 0 && progress.images > 0
      ? `${integer(progress.images / progress.seconds)} images/s`
      : '',
    progress.loader !== undefined && progress.seconds > 0
      ? `waited ${percent(progress.loader.waited / progress.seconds)}`
      : '',
    Number.isFinite(secondsLeft) ? `${clock(secondsLeft)} left` : '',
    Number.isFinite(progress.loss) ? `loss ${decimal(progress.loss, 3)}` : '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

export interface ShowOptions {
  /** Names the stage of everything that is shown. */
  readonly hasStages?: boolean | undefined;
  /** In milliseconds. */
  readonly now?: () => number;
}

/** A listener that shows events on `meter`. */
export function showOn(
  meter: Meter,
  { hasStages = false, now = Date.now }: ShowOptions = {},
): (event: RunEvent) => void {
  let start: Start | null = null;
  return (event) => {
    const stage = hasStages ? `stage ${event.stage}  ` : '';
    if (event.type === 'note') {
      meter.note(`${stage}${event.text}`);
      return;
    }
    const fraction = fractionOf(event);
    const key = `${event.stage} ${event.phase}`;
    if (start?.key !== key || fraction < start.fraction) start = { key, at: now(), fraction };
    const done = fraction - start.fraction;
    const secondsLeft = done > 0 ? ((now() - start.at) / 1000) * ((1 - fraction) / done) : Number.NaN;
    meter.show(fraction, `${stage}${describeProgress(event, secondsLeft)}`);
  };
}
