// Progress on standard error: a bar on a terminal, a line now and then elsewhere; and what the events of a run say on it.
import cliProgress from 'cli-progress';
import type { Phase, ProgressEvent, RunEvent } from '../native/events.js';
import { clock, decimal, integer, oneLine, percent } from '../statistics/format.js';

export interface ErrorStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Meter {
  /** `fraction` of the present phase is done; `text` says what and how fast. */
  readonly show: (fraction: number, text: string) => void;
  /** A line that stays. */
  readonly note: (text: string) => void;
  /** Takes the bar away. */
  readonly stop: () => void;
}

const BAR_WIDTH = 24;
/** Between two lines where there is no terminal. */
const LINE_EVERY_MS = 10_000;

function wholePercent(fraction: number): string {
  return `${String(Math.floor(100 * fraction)).padStart(3)}%`;
}

function barMeter(stream: ErrorStream): Meter {
  let bar: cliProgress.SingleBar | null = null;
  const stop = (): void => {
    bar?.stop();
    bar = null;
  };
  const start = (text: string): cliProgress.SingleBar => {
    const started = new cliProgress.SingleBar({
      stream: stream as unknown as NodeJS.WritableStream,
      clearOnComplete: true,
      // cli-progress would turn line wrapping off, and a killed process would leave the terminal so.
      linewrap: true,
      format: (_options, { progress }, payload: { readonly text: string }) => {
        const filled = Math.round(progress * BAR_WIDTH);
        const line = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${wholePercent(progress)}  ${payload.text}`;
        return line.slice(0, Math.max(1, (stream.columns ?? 80) - 1));
      },
    });
    started.start(1, 0, { text });
    return started;
  };
  return {
    stop,
    note: (text) => {
      stop();
      stream.write(`${oneLine(text)}\n`);
    },
    show: (fraction, text) => {
      bar ??= start(oneLine(text));
      bar.update(fraction, { text: oneLine(text) });
    },
  };
}

function lineMeter(stream: ErrorStream, now: () => number): Meter {
  let last = now();
  const write = (text: string): void => {
    last = now();
    stream.write(`${oneLine(text)}\n`);
  };
  return {
    stop: () => undefined,
    note: write,
    show: (fraction, text) => {
      if (now() - last >= LINE_EVERY_MS) write(`${wholePercent(fraction)}  ${text}`);
    },
  };
}

/** A meter for a stream; `now` is in milliseconds. */
export function meterOn(stream: ErrorStream, now: () => number = Date.now): Meter {
  return stream.isTTY === true ? barMeter(stream) : lineMeter(stream, now);
}

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

interface ShowOptions {
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
