import { expect, test } from 'vitest';
import { SplitgrowError } from '../../../lib/errors.js';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import type { Snapshot } from '../../../lib/run/store/snapshot.js';
import { snapshotWriterOf } from '../../../lib/run/store/snapshot-writer.js';
import { tinyExperiment } from '../tiny.js';

const snapshot = (epoch: number): Snapshot => ({
  state: { stage: 0, epoch, epochs: [] },
  graph: { format: 'splitgrow-network/1' } as unknown as Snapshot['graph'],
  tensors: new Map(),
});

function snapshots(write: (epoch: number) => Promise<void>, set: readonly string[] = []) {
  const notes: string[] = [];
  const onEvent = (event: { readonly type: string; readonly text?: string }) =>
    void notes.push(event.text ?? '');
  const spec = parseExperiment(tinyExperiment('x'), set);
  return { notes, kept: snapshotWriterOf(spec, { onEvent }, 0, (_spec, { state }) => write(state.epoch)) };
}

test('work goes on while a snapshot is written, and there is never more than one writer', async () => {
  let [writers, most] = [0, 0];
  const open: (() => void)[] = [];
  const { kept } = snapshots(async () => {
    writers += 1;
    most = Math.max(most, writers);
    await new Promise<void>((resolve) => open.push(resolve));
    writers -= 1;
  });
  await kept.offer(snapshot(1)); // Comes back before it is written.
  expect(writers).toBe(1);
  const second = kept.offer(snapshot(2));
  await new Promise((resolve) => setImmediate(resolve));
  expect(open).toHaveLength(1);
  open[0]?.();
  await second;
  open[1]?.();
  await kept.settle();
  expect([writers, most]).toEqual([0, 1]);
});

test('a failure is told, the next attempt may mend it, and the last one counts', async () => {
  const failing = new Set([1, 3]);
  const { kept, notes } = snapshots(async (epoch) => {
    if (failing.has(epoch)) throw new SplitgrowError('E_WRITE', `epoch ${epoch}: the disk is full`);
  });
  await kept.offer(snapshot(1));
  await kept.drain();
  expect(notes).toEqual([expect.stringMatching(/^WARNING: no checkpoint was written.*the disk is full/)]);
  await kept.offer(snapshot(2));
  await kept.settle();
  await kept.offer(snapshot(3));
  await expect(kept.settle()).rejects.toMatchObject({ code: 'E_WRITE' });
  await kept.drain();
});

test('a checkpoint is due after the minutes asked for, counted anew from each', async () => {
  const { kept } = snapshots(async () => undefined, ['checkpoint.minutes=3']);
  const due = kept.dueIn() ?? Number.NaN;
  expect(due).toBeGreaterThan(170_000);
  expect(due).toBeLessThanOrEqual(180_000);
  expect(snapshots(async () => undefined, ['checkpoint.minutes=0']).kept.dueIn()).toBeNull();
});
