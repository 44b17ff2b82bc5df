// How far a set-up has come: phase, bytes, rate, time left.

import type { SetupProgress } from '../machine/libtorch/install.js';
import { bytes, clock } from '../statistics/format.js';
import type { Meter } from './meter.js';

const PHASES: Readonly<Record<SetupProgress['phase'], string>> = {
  wait: 'waiting',
  download: 'downloading',
  verify: 'checking',
  unpack: 'unpacking',
  open: 'opening',
};

/** A rate over less says little. */
const LEAST_SECONDS = 1;

/** A listener that shows a set-up on `meter`: a line that stays as each phase begins, then a bar, or a line now and then. */
export function showSetup(meter: Meter, now: () => number = Date.now): (progress: SetupProgress) => void {
  let start: { readonly phase: string; readonly at: number; readonly done: number } | null = null;
  return ({ phase, message, done, total }) => {
    if (start?.phase !== phase) {
      start = { phase, at: now(), done };
      const size = total > 0 ? `, ${bytes(total)}` : '';
      const kept = phase === 'download' && done > 0 && total > 0 ? ` of which ${bytes(done)} are there` : '';
      meter.note(`${PHASES[phase]} ${message}${size}${kept}`);
    }
    if (total === 0) return;
    const seconds = (now() - start.at) / 1000;
    const rate = seconds >= LEAST_SECONDS ? (done - start.done) / seconds : 0;
    const speed = rate > 0 ? `  ${bytes(rate)}/s  ${clock((total - done) / rate)} left` : '';
    meter.show(done / total, `${PHASES[phase]}  ${bytes(done)} of ${bytes(total)}${speed}`);
  };
}
