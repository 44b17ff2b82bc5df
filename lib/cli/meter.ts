// How far long work has come, on standard error: a bar on a terminal, a line now and then elsewhere.
import cliProgress from 'cli-progress';
import { oneLine } from '../statistics/format.js';

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

function percent(fraction: number): string {
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
      // Left alone, so that a killed process leaves the terminal as it was.
      linewrap: true,
      format: (_options, { progress }, payload: { readonly text: string }) => {
        const filled = Math.round(progress * BAR_WIDTH);
        const line = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${percent(progress)}  ${payload.text}`;
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
      if (now() - last >= LINE_EVERY_MS) write(`${percent(fraction)}  ${text}`);
    },
  };
}

/** A meter for a stream; `now` is in milliseconds. */
export function meterOn(stream: ErrorStream, now: () => number = Date.now): Meter {
  return stream.isTTY === true ? barMeter(stream) : lineMeter(stream, now);
}
