import { expect, test } from 'vitest';
import { planFigure } from '../../lib/figure/plan.js';
import { tallyOf, workOf } from '../../lib/figure/work.js';
import type { RunEvent } from '../../lib/native/events.js';
import { figureOf } from './made-up.js';

function planned(experiment: Record<string, unknown> = {}, set: readonly string[] = []) {
  return planFigure(figureOf({}, experiment), { scale: 'smoke', out: 'o', cores: 1, set }).runs;
}

function progress(stage: number, epoch: number, done: number): RunEvent {
  return {
    ...{ type: 'progress', stage, phase: 'fit', epoch, epochs: 2 },
    progress: { phase: 'train', done, total: 10, images: 100, seconds: 4, loss: 1 },
  };
}

// Two epochs a stage, growth ratio 0.5: stage 1 costs 3, stage 2 4.5 epochs of the seed network.
test('work is epochs times growth; a stage 0 that is taken over costs nothing', () => {
  const [seed, aware] = planned({}, ['stop.stages=2']);
  expect(seed && workOf(seed)).toEqual({ stages: [2], rivals: 0 });
  expect(aware && workOf(aware)).toEqual({ stages: [0, 3, 4.5], rivals: 0 });
});

test('a rival costs what all stages cost, the shared first one too', () => {
  const [, aware] = planned({ compare: ['width-multiplier'] }, ['stop.stages=2']);
  expect(aware && workOf(aware).rivals).toBe(2 * (1 + 1.5 + 2.25));
});

test('at equal epochs a rival costs all epochs at the size it is held against, and so does retrain', () => {
  const compare = [{ method: 'width-multiplier', equal: 'epochs' }];
  const [, again] = planned({ compare: ['retrain'] }, ['stop.stages=2']);
  expect(again && workOf(again).rivals).toBe(6 * 2.25);
  const [, aware] = planned({ compare }, ['stop.stages=2']);
  expect(aware && workOf(aware).rivals).toBe(6 * 2.25);
});

test('what finishes the last stage alone is work of that stage', () => {
  const fit = { epochs: 2, schedule: { kind: 'constant' } };
  const work = (stages: string) => {
    const [, aware] = planned({ fit: { ...fit, finish: { epochs: 4, stages } }, compare: ['scratch'] }, [
      'stop.stages=2',
    ]);
    return aware && workOf(aware);
  };
  expect(work('every')).toEqual({ stages: [0, 9, 13.5], rivals: 6 * (1 + 1.5 + 2.25) });
  expect(work('last')).toEqual({ stages: [0, 3, 13.5], rivals: 2 * (1 + 1.5) + 13.5 });
});

test('the time left follows from what this sitting did: finished runs of earlier ones count in neither', () => {
  const runs = planned();
  const [seed, aware, random] = runs.map(({ key }) => key);
  let now = 0;
  const tally = tallyOf(runs, () => now);
  expect(tally.progress()).toMatchObject({ runs: 3, ended: 0, running: 0, fraction: 0 });
  tally.begin(seed ?? '');
  tally.end(seed ?? '');
  tally.begin(aware ?? '');
  now = 6000;
  tally.see(aware ?? '', progress(1, 1, 0));
  // Half of one of two runs of 3, after 6 s: 1.5 of 6, the seed network's 2 left out.
  expect(tally.progress()).toEqual({
    ...{ runs: 3, ended: 1, running: 1, fraction: 0.25, secondsLeft: 18, imagesPerSecond: 25 },
  });
  tally.end(aware ?? '');
  tally.end(random ?? '');
  expect(tally.progress()).toMatchObject({
    ended: 3,
    running: 0,
    fraction: 1,
    secondsLeft: 0,
    imagesPerSecond: 0,
  });
});
