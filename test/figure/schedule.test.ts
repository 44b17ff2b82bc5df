import { expect, test } from 'vitest';
import { type Job, type Outcome, runJobs } from '../../lib/figure/schedule.js';
import { randomOf } from '../reference.js';

/** Resolves after some turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

const job = (key: string, run: () => Promise<void>, after: string | null = null): Job => ({
  key,
  after,
  run,
});
const kinds = (outcomes: ReadonlyMap<string, Outcome>) =>
  Object.fromEntries([...outcomes].map(([key, { kind }]) => [key, kind]));

test('never more jobs run than there are slots, all of them run, and none before what it waits for', async () => {
  for (let seed = 0; seed < 30; seed += 1) {
    const random = randomOf(seed);
    const slots = 1 + Math.floor(4 * random());
    const [running, done] = [new Set<string>(), new Set<string>()];
    let most = 0;
    const jobs = Array.from({ length: 12 }, (_, at): Job => {
      const after = at > 0 && random() < 0.5 ? String(Math.floor(at * random())) : null;
      return job(
        String(at),
        async () => {
          if (after !== null) expect(done.has(after), `seed ${seed}`).toBe(true);
          running.add(String(at));
          most = Math.max(most, running.size);
          await turns(Math.floor(5 * random()));
          running.delete(String(at));
          done.add(String(at));
        },
        after,
      );
    });
    await runJobs(jobs, { slots });
    expect(most, `seed ${seed}`).toBeLessThanOrEqual(slots);
    expect(done.size, `seed ${seed}`).toBe(12);
  }
});

test('free slots are used: independent jobs run side by side', async () => {
  let running = 0;
  let most = 0;
  const jobs = ['a', 'b', 'c'].map((key) =>
    job(key, async () => {
      most = Math.max(most, ++running);
      await turns(3);
      running -= 1;
    }),
  );
  await runJobs(jobs, { slots: 3 });
  expect(most).toBe(3);
});

test('a failure stops what waits for it and nothing else', async () => {
  const fail = async (): Promise<void> => {
    throw new Error('no');
  };
  const ended: string[] = [];
  const outcomes = await runJobs(
    [
      job('a', fail),
      job('b', async () => turns(1), 'a'),
      job('c', async () => turns(1), 'b'),
      job('d', async () => turns(2)),
    ],
    { slots: 2, onEnd: (key) => ended.push(key) },
  );
  expect(kinds(outcomes)).toEqual({ a: 'failed', b: 'skipped', c: 'skipped', d: 'done' });
  expect(ended.sort()).toEqual(['a', 'b', 'c', 'd']);
  expect(outcomes.get('c')).toEqual({ kind: 'skipped', because: 'b' });
});

test('after an abort nothing begins, and what runs is waited for', async () => {
  const controller = new AbortController();
  const begun: string[] = [];
  let hasEnded = false;
  const jobs = ['a', 'b'].map((key) =>
    job(key, async () => {
      begun.push(key);
      controller.abort();
      await turns(5);
      hasEnded = true;
      throw new Error('aborted');
    }),
  );
  await expect(runJobs(jobs, { slots: 1, signal: controller.signal })).rejects.toMatchObject({
    code: 'E_ABORTED',
  });
  expect({ begun, hasEnded }).toEqual({ begun: ['a'], hasEnded: true });
});

test('a job that comes before the one it waits for is refused', async () => {
  await expect(runJobs([job('a', async () => undefined, 'b')], { slots: 1 })).rejects.toMatchObject({
    code: 'E_INTERNAL',
  });
});

test('a listener that throws has no more jobs begun, and is thrown once those that run have ended', async () => {
  const ended: string[] = [];
  const begun: string[] = [];
  const jobs = ['a', 'b', 'c', 'd'].map((key, at) =>
    job(key, async () => {
      begun.push(key);
      await turns(1 + 3 * at);
      ended.push(key);
    }),
  );
  const failing = new Error('the listener failed');
  const onEnd = (): void => {
    throw failing;
  };
  await expect(runJobs(jobs, { slots: 2, onEnd })).rejects.toBe(failing);
  expect([begun, ended]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
});
