// What a run may go on with: equal experiments, more stages, and the remedies that messages name.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { train } from '../../lib/api.js';
import { difference, obstacle, REMEDIES, remediesTaken } from '../../lib/experiment/same.js';
import { experimentSchema } from '../../lib/schema/experiment.js';
import { leavesOf } from '../schema/leaves.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

test('every remedy is a field of the experiment', () => {
  const leaves = leavesOf(experimentSchema());
  expect(Object.keys(REMEDIES).filter((field) => !leaves.includes(field))).toEqual([]);
});

test('a remedy is no obstacle, but a difference: another run may not be taken over as if it were equal', () => {
  const [kept, asked] = [{ data: { skipUnreadable: false } }, { data: { skipUnreadable: true } }];
  const change = { field: 'data.skipUnreadable', kept: 'false', asked: 'true' };
  expect(obstacle(kept, asked)).toBeNull();
  expect(remediesTaken(kept, asked)).toEqual([change]);
  expect(difference(kept, asked)).toEqual(change);
});

test('any other field is an obstacle, beside a remedy as well; more stages are none', () => {
  const kept = { seed: 1, fit: { precision: 'float32' }, stop: { stages: 1 } };
  const asked = { seed: 2, fit: { precision: 'auto' }, stop: { stages: 3 } };
  expect(obstacle(kept, asked)).toEqual({ field: 'seed', kept: '1', asked: '2' });
  expect(obstacle(kept, { ...asked, seed: 1 })).toBeNull();
});

test('a finished run takes no other rate: it would be told as the result of a rate that trained nothing', async () => {
  const [kept, asked] = [{ fit: { gradientClip: null } }, { fit: { gradientClip: 1 } }];
  expect(obstacle(kept, asked)).toBeNull();
  expect(obstacle(kept, asked, { isFinished: true })?.field).toBe('fit.gradientClip');
  const skipped = [{ data: { skipUnreadable: false } }, { data: { skipUnreadable: true } }] as const;
  expect(obstacle(...skipped, { isFinished: true })).toBeNull();
});

test('a run that diverged goes on at a lower rate, with a note and a record; another batch is refused', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const { stop: _stop, ...experiment } = tinyExperiment(folder);
  const fit = { epochs: 2, batch: 16, schedule: { kind: 'constant' } };
  const at = (learningRate: number, more: Record<string, unknown> = {}) => ({
    experiment: { ...experiment, fit: { ...fit, ...more, optimizer: { learningRate } } },
  });
  await expect(train(at(1e30))).rejects.toMatchObject({
    code: 'E_NOT_FINITE',
    message: expect.stringContaining('lower fit.optimizer.learningRate'),
  });
  await expect(train(at(0.05, { batch: 8 }))).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining('fit.batch was 16, now 8'),
  });
  const notes: string[] = [];
  const { stages } = await train(at(0.05), {
    onEvent: (event) => event.type === 'note' && notes.push(event.text),
  });
  expect(stages).toHaveLength(1);
  expect(notes).toContain(
    'fit.optimizer.learningRate was 1e+30 and is 0.05 from here on: rates follow from the new one',
  );
  const run = JSON.parse(await readFile(join(String(experiment.output), 'run.json'), 'utf8')) as unknown;
  expect(run).toMatchObject({
    changes: [
      {
        field: 'fit.optimizer.learningRate',
        kept: '1e+30',
        asked: '0.05',
        after: expect.stringMatching(/^checkpoint-0-/),
      },
    ],
  });
});
