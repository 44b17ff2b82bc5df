// How threads wait for each other at the end of a parallel loop: they look for a short time, then sleep.

import { type Finding, ok, warning } from '../doctor/finding.js';
import type { Environment } from '../environment.js';
import type { PreloadRow } from './preload.js';

/**
 * Times that a waiting thread looks again before it sleeps: some ten microseconds. By default libgomp looks 300,000 times, some
 * milliseconds. Where other work runs, that keeps the processor from the very thread that is waited for.
 */
const SPIN_COUNT = '5000';

/** Variables that say how OpenMP's threads wait. Where one of them is set, the user has decided. */
const DECIDING = ['GOMP_SPINCOUNT', 'OMP_WAIT_POLICY'] as const;

/** What libgomp is to find in the environment when it is opened: it reads these only then. */
export function waitingVariables(env: Environment): Readonly<Record<string, string>> {
  return DECIDING.some((name) => env[name] !== undefined) ? {} : { GOMP_SPINCOUNT: SPIN_COUNT };
}

/** doctor's row: how threads wait, and who decided it. */
export function waitingFinding(trace: readonly PreloadRow[], env: Environment): Finding {
  const name = 'waiting threads';
  const given = DECIDING.filter((variable) => env[variable] !== undefined);
  if (given.length > 0)
    return ok(name, `as ${given.map((variable) => `${variable}=${env[variable]}`).join(', ')} says`);
  if (trace.some(({ path, wasOpen }) => wasOpen && /(^|\/)libgomp[^/]*$/.test(path)))
    return warning(
      name,
      'libgomp was in the process already, so its threads wait as it was told before: by default they spin for milliseconds, and work beside other work is slow',
      `load splitgrow before the other addon, or set GOMP_SPINCOUNT=${SPIN_COUNT} for the process`,
    );
  return ok(name, `look ${SPIN_COUNT} times, then sleep`);
}
