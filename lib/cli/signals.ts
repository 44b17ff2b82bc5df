// Ctrl-C, SIGTERM and SIGUSR1 (SLURM's before a time limit): the first asks the work to stop, the second ends the process at once.
import { NO_WATCHDOG, watchSignals } from './watchdog.js';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGUSR1: 138 } as const;
/** One Ctrl-C reaches a rank twice: from the terminal, and passed on by `launch`. */
const SAME_MS = 500;
type StopSignal = keyof typeof EXIT_CODES;

export interface Signals {
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, or null. */
  readonly exitCode: () => number | null;
  /** Ends the listening, unless a signal came: the same one again must not kill the process while it ends. */
  readonly stop: () => void;
}

export interface ListenOptions {
  /** The process may end in the middle of a calculation, where the event loop does not turn soon after a signal. */
  readonly endsAnywhere?: boolean;
}

/**
 * Listens until `stop()`. Soon after the first signal Node's own handling is back: the next one kills, SIGUSR1 too (Node's
 * own opens a debugger). One that comes within half a second is the first one again.
 */
export function listenForSignals(onFirst: () => void, { endsAnywhere = false }: ListenOptions = {}): Signals {
  const controller = new AbortController();
  let exitCode: number | null = null;
  const listeners = (Object.keys(EXIT_CODES) as StopSignal[]).map((name) => {
    const listener = (): void => {
      if (exitCode !== null) return;
      setTimeout(() => {
        restore();
        process.on('SIGUSR1', () => process.exit(EXIT_CODES.SIGUSR1));
      }, SAME_MS).unref();
      exitCode = EXIT_CODES[name];
      watchdog.heard();
      onFirst();
      controller.abort();
    };
    process.on(name, listener);
    return { name, listener };
  });
  function restore(): void {
    for (const { name, listener } of listeners) process.removeListener(name, listener);
  }
  // After the listeners: it watches the handlers that are there.
  const watchdog = endsAnywhere ? watchSignals() : NO_WATCHDOG;
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    stop: () => {
      watchdog.stop();
      if (exitCode === null) restore();
    },
  };
}
