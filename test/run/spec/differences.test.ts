// What a run may go on with: equal experiments, more stages, and the remedies that messages name.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { train } from '../../../lib/api/train.js';
import { difference, obstacle, remediesTaken } from '../../../lib/run/spec/differences.js';
import { sealed } from '../../../lib/run/store/record-files.js';
import { asRead, temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

type Json = Readonly<Record<string, unknown>>;

const checkpointsOf = async (output: string): Promise<readonly string[]> =>
  (await readdir(output))
    .filter((name) => name.startsWith('checkpoint-'))
    .map((name) => join(output, name, 'state.json'));

/** Rewrites the `splitting` that a record of a run holds, as another version would have written it. */
async function older(file: string, change: (splitting: Json) => Json): Promise<void> {
  const { sha256, ...record } = JSON.parse(await readFile(file, 'utf8')) as Json;
  const changed = (spec: Json): Json => ({ ...spec, splitting: change(spec.splitting as Json) });
  const text =
    sha256 === undefined
      ? JSON.stringify(changed(record))
      : sealed(
          { ...record, experiment: changed(record.experiment as Json), files: undefined },
          record.files as never,
        );
  await writeFile(file, text);
}

test('a remedy is no obstacle, but a difference: another run may not be taken over as if it were equal', () => {
  const [kept, asked] = [{ data: { skipUnreadable: false } }, { data: { skipUnreadable: true } }];
  const change = { field: 'data.skipUnreadable', kept: 'false', asked: 'true' };
  expect(obstacle(kept, asked)).toBeNull();
  expect(remediesTaken(kept, asked)).toEqual([
    { ...change, says: 'an image that turns unreadable is left out of its minibatch, or ends the run' },
  ]);
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
  await expect(train(asRead(at(1e30)))).rejects.toMatchObject({
    code: 'E_NOT_FINITE',
    message: expect.stringContaining('lower fit.optimizer.learningRate'),
  });
  await expect(train(asRead(at(0.05, { batch: 8 })))).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining('fit.batch was 16, now 8'),
  });
  const notes: string[] = [];
  const { stages } = await train(asRead(at(0.05)), {
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

test('a run of a version without some fields goes on with their defaults; a default that changed is named with the way back', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const { stop: _stop, ...experiment } = tinyExperiment(folder);
  const fit = { epochs: 2, batch: 16 };
  const spec = { experiment: { ...experiment, fit } };
  const { stages } = await train(spec);
  const output = String(experiment.output);
  const records = [join(output, 'experiment.json'), ...(await checkpointsOf(output))];
  expect(records.length).toBeGreaterThan(1);
  for (const file of records)
    await older(file, ({ tolerance: _t, mostEpochs: _m, ...splitting }) => splitting);
  // As if it had been killed before its end was recorded.
  await rm(join(output, 'summary.json'));
  expect((await train(spec)).stages[0]?.loss).toBe(stages[0]?.loss);

  for (const file of records)
    await older(file, (splitting) => ({
      ...splitting,
      rmsprop: { ...(splitting.rmsprop as object), alpha: 0.99 },
    }));
  await expect(train(spec)).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringMatching(
      /splitting\.rmsprop\.alpha was 0\.99, now 0\.9; go on with --set splitting\.rmsprop\.alpha='0\.99', or choose another output/,
    ),
  });
  expect((await train({ ...spec, set: ['splitting.rmsprop.alpha=0.99'] })).stages[0]?.loss).toBe(
    stages[0]?.loss,
  );
});
