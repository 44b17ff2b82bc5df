// Many runs on one meter: a line for what a run finished, under its name, and one bar for all of them.
import type { FigureEvent } from '../figure/run.js';
import type { Outcome } from '../figure/schedule.js';
import { clock, integer } from '../statistics/format.js';
import type { Meter } from './meter.js';

type Standing = Extract<FigureEvent, { readonly type: 'standing' }>;

/** "3 of 12 runs, 2 at work  5,120 images/s  1:20 left" */
export function describeStanding({ runs, ended, running, imagesPerSecond, secondsLeft }: Standing): string {
  return [
    `${ended} of ${runs} runs${running > 0 ? `, ${running} at work` : ''}`,
    imagesPerSecond > 0 ? `${integer(imagesPerSecond)} images/s` : '',
    Number.isFinite(secondsLeft) ? `${clock(secondsLeft)} left` : '',
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function endOf(outcome: Outcome): string {
  if (outcome.kind === 'done') return 'done';
  if (outcome.kind === 'skipped') return 'not begun, because its seed network failed';
  return `failed: ${outcome.error instanceof Error ? outcome.error.message : String(outcome.error)}`;
}

/** A listener that shows a figure's events on `meter`. */
export function showFigureOn(meter: Meter): (event: FigureEvent) => void {
  return (event) => {
    if (event.type === 'standing') meter.show(event.fraction, describeStanding(event));
    else if (event.type === 'written') return;
    else if (event.type === 'ended') {
      meter.note(`${event.run}: ${endOf(event.outcome)}`);
    } else if (event.event.type === 'note') {
      meter.note(`${event.run}: stage ${event.event.stage}  ${event.event.text}`);
    }
  };
}
