// Work that is requested more often than it should be done. One round runs at a time, and a pause follows each round.

export interface Paced {
  /** A round begins soon. All requests during a round lead to one more round. */
  readonly request: () => void;
  /** No round begins any more; resolves when the present one has ended. */
  readonly stop: () => Promise<void>;
}

/** Runs `work`, which must not reject. A round that took the time t is followed by a pause of t times `pause`. */
export function paced(work: () => Promise<void>, pause: number): Paced {
  let isAsked = false;
  let isStopped = false;
  let notBefore = 0;
  let round: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const begin = async (): Promise<void> => {
    isAsked = false;
    const start = performance.now();
    await work();
    const end = performance.now();
    notBefore = end + pause * (end - start);
    round = null;
    if (isAsked) schedule();
  };
  const schedule = (): void => {
    if (isStopped || round !== null || timer !== null) return;
    timer = setTimeout(
      () => {
        timer = null;
        round = begin();
      },
      Math.max(0, notBefore - performance.now()),
    );
  };
  return {
    request: () => {
      isAsked = true;
      schedule();
    },
    stop: async () => {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
      await round;
    },
  };
}
