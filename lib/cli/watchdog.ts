// Ends a process that does not hear a signal: Node.js tells of signals only when its event loop turns, not in the middle of a calculation.
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { loaderPath } from '../machine/libtorch/addon.js';

/** CPU time that a calculation may still take after a signal. With the clock's ticks and the end itself it stays below a second. */
const BUSY_MS = 700;
/** How often the event loop says that it turns, after a signal. */
const BEAT_MS = 100;
const WORDS =
  'splitgrow: E_ABORTED: stopped in the middle of a calculation; every file that is there is whole\n';

export interface Watchdog {
  /** Says that a signal was heard. From then on the event loop tells that it turns. */
  readonly heard: () => void;
  readonly stop: () => void;
}

export const NO_WATCHDOG: Watchdog = { heard: () => {}, stop: () => {} };

/** The functions of the addon's loader, `native/loader/watch.h`. */
interface Watcher {
  readonly watch: (words: string, busyMs: number) => boolean;
  readonly beat: () => void;
  readonly unwatch: () => void;
}

/** Null where there is no addon, or none that opens: the command itself says so where it needs one. */
function watcher(): Watcher | null {
  try {
    return createRequire(import.meta.url)(loaderPath()) as Watcher;
  } catch {
    return null;
  }
}

/**
 * Watches the signals that have a listener now. After the first one the process ends, with 128 and the signal's number, where
 * the event loop does not turn for `BUSY_MS` of CPU time. Does nothing without an addon.
 */
export function watchSignals(): Watchdog {
  const native = isMainThread ? watcher() : null;
  // On a terminal the line may begin where a progress bar is.
  const words = process.stderr.isTTY ? `\r\x1b[K${WORDS}` : WORDS;
  if (native === null || !native.watch(words, BUSY_MS)) return NO_WATCHDOG;
  let beats: NodeJS.Timeout | undefined;
  return {
    heard: () => {
      native.beat();
      beats ??= setInterval(native.beat, BEAT_MS).unref();
    },
    stop: () => {
      clearInterval(beats);
      native.unwatch();
    },
  };
}
