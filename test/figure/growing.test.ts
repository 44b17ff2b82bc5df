// When figure.json is written anew while the runs go on.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { growing } from '../../lib/figure/run.js';
import type { Phase, RunEvent } from '../../lib/native/events.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const event = (stage: number, phase: Phase): RunEvent => ({ type: 'note', stage, phase, text: '' });

test("it is written when a run comes to another phase or stage, and not for a phase's later events", async () => {
  const write = vi.fn(async () => undefined);
  const { see } = growing(write);
  const steps: readonly (readonly [run: string, stage: number, phase: Phase, written: number])[] = [
    ['a', 0, 'fit', 1],
    ['a', 0, 'fit', 1],
    ['b', 0, 'fit', 2],
    ['a', 0, 'fit', 2],
    ['a', 0, 'evaluate', 3],
    ['a', 1, 'evaluate', 4],
  ];
  for (const [run, stage, phase, written] of steps) {
    see(run, event(stage, phase));
    await vi.advanceTimersByTimeAsync(1);
    expect(write, `${run} ${stage} ${phase}`).toHaveBeenCalledTimes(written);
  }
});

test('where it cannot be written the next request tries again', async () => {
  const write = vi.fn(async () => {
    throw new Error('disk full');
  });
  const { update, stop } = growing(write);
  for (const times of [1, 2]) {
    update();
    await vi.advanceTimersByTimeAsync(1);
    expect(write).toHaveBeenCalledTimes(times);
  }
  await stop();
});
