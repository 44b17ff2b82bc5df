// Ctrl-C and SIGTERM: the first asks the work to stop, the second ends the process at once.
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_CODES;

export interface Signals {
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, or null. */
  readonly exitCode: () => number | null;
  readonly stop: () => void;
}

/** Listens until `stop()`. After the first signal Node's own handling is back: the next one kills. */
export function listenForSignals(onFirst: () => void): Signals {
  const controller = new AbortController();
  let exitCode: number | null = null;
  const listeners = (Object.keys(EXIT_CODES) as StopSignal[]).map((name) => {
    const listener = (): void => {
      stop();
      exitCode = EXIT_CODES[name];
      onFirst();
      controller.abort();
    };
    process.on(name, listener);
    return { name, listener };
  });
  function stop(): void {
    for (const { name, listener } of listeners) process.removeListener(name, listener);
  }
  return { signal: controller.signal, exitCode: () => exitCode, stop };
}
