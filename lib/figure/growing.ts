// figure.json while the runs go on: written anew when there is more to show.

import { paced } from '../machine/paced.js';
import { firstOfPhase, type RunEvent } from '../native/events.js';

/** Collecting takes no more than a twentieth of the time. */
const PAUSE = 19;

export interface Growing {
  /** A run's events: with a new phase the records of the one before are there. */
  readonly see: (key: string, event: RunEvent) => void;
  readonly update: () => void;
  readonly stop: () => Promise<void>;
}

/** Calls `write` now and then. Where it fails the runs go on: the last write, after them, says what is wrong. */
export function growing(write: () => Promise<unknown>): Growing {
  const { request, stop } = paced(async () => {
    await write().catch(() => undefined);
  }, PAUSE);
  const phases = new Map<string, (event: RunEvent) => boolean>();
  return {
    see: (key, event) => {
      const isFirst = phases.get(key) ?? firstOfPhase();
      phases.set(key, isFirst);
      if (isFirst(event)) request();
    },
    update: request,
    stop,
  };
}
