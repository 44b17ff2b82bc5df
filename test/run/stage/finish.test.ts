// Finishing: what is kept of a stage, what growth goes on from, and that nothing is done twice or to other bits.
import { cpSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluate } from '../../../lib/api/evaluate.js';
import { grow } from '../../../lib/api/grow.js';
import { train } from '../../../lib/api/train.js';
import { readSafetensors } from '../../../lib/data/safetensors.js';
import type { RunControl, RunEvent } from '../../../lib/native/events.js';
import { growExperiment } from '../../../lib/run/run.js';
import { parseData, parseExperiment } from '../../../lib/run/spec/spec.js';
import { readMetrics } from '../../../lib/run/store/metrics.js';
import type { StageRecord, Summary } from '../../../lib/run/store/records.js';
import { numbersOf } from '../../native/golden.js';
import { assertClose } from '../../reference.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

const FINISH = 3;
const CONSTANT = ['fit.schedule={"kind":"constant"}'];
const SET = [...CONSTANT, `fit.finish.epochs=${FINISH}`];

async function prepared(): Promise<{ readonly folder: string; readonly output: string }> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  return { folder, output: join(folder, 'run') };
}

interface Run {
  readonly folder: string;
  readonly output: string;
  readonly summary: Summary;
}

async function tinyRun(set: readonly string[], control: RunControl = {}): Promise<Run> {
  const { folder, output } = await prepared();
  return { folder, output, summary: await grow({ experiment: tinyExperiment(folder), set }, control) };
}

const recordOf = (output: string, stage: number): Promise<StageRecord> =>
  readJson<StageRecord>(output, `stage-${stage}`, 'stage.json');
const weightsIn = (...path: readonly string[]): Promise<string> =>
  readFile(join(...path, 'weights.safetensors'), 'hex');
/** What a record says besides seconds, which no two runs share, and digests of what holds them. */
const facts = (record: unknown): unknown =>
  JSON.parse(
    JSON.stringify(record, (key, value: unknown) => (/^(seconds|sha256)$/.test(key) ? null : value)),
  );

test("a stage's network is the finished one, and growth goes on from the unfinished one", async () => {
  const [plain, run] = [await tinyRun(CONSTANT), await tinyRun(SET)];
  const data = parseData({ file: join(run.folder, 'data.safetensors') });
  for (const stage of [0, 1, 2]) {
    const [before, record] = [await recordOf(plain.output, stage), await recordOf(run.output, stage)];
    // 96 images in minibatches of 16: 18 of them on the line, the last of an epoch at 13/18, 7/18 and 1/18.
    expect(record.finish?.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    assertClose(
      record.finish?.map(({ learningRate }) => learningRate) ?? [],
      [13, 7, 1].map((left) => (0.1 * left) / 18),
      { rtol: 1e-12, atol: 0, note: 'doubles' },
    );
    // The networks that growth goes on from are the same ones, and so is the growth.
    expect(facts(record.epochs)).toEqual(facts(before.epochs));
    expect(facts(record.split)).toEqual(facts(before.split));
    expect(before.finish).toBeUndefined();
    const directory = join(run.output, `stage-${stage}`);
    const measured = await evaluate({ network: directory, data });
    expect(measured).toMatchObject(record.evaluation);
    expect(run.summary.stages[stage]).toMatchObject({ top1: measured.top1, loss: measured.loss });
    expect(record.evaluation.loss).not.toBe(before.evaluation.loss);
    expect(await weightsIn(directory)).toBe(await weightsIn(run.output, 'finish', `stage-${stage}`));
  }
  const last = ['checkpoint-2-2', 'momentum.safetensors'];
  const bytes = ({ output }: Run, ...path: readonly string[]) => readFile(join(output, ...path), 'hex');
  expect(await weightsIn(run.output, 'checkpoint-2-2')).toBe(await weightsIn(plain.output, 'checkpoint-2-2'));
  expect(await bytes(run, ...last)).toBe(await bytes(plain, ...last));
  expect(await weightsIn(run.output, 'stage-2')).not.toBe(await weightsIn(plain.output, 'stage-2'));
});

test('finishing goes on with the momentum of the network that it copies', async () => {
  // One minibatch an epoch, always the same: w - rate (momentum m + g) with the momentum m, w - rate g without.
  const still = ['data.augment=[]', 'data.shuffle=false', 'fit.epochs=1', 'fit.batch=96'];
  const { folder, output } = await tinyRun([
    ...[...CONSTANT, ...still],
    ...['fit.finish.epochs=1', 'stop.stages=0'],
  ]);
  const checkpoint = join(output, 'checkpoint-0-1');
  const { stop: _stop, ...experiment } = tinyExperiment(folder, join(folder, 'without'));
  await train({
    experiment: { ...experiment, network: { directory: checkpoint } },
    set: [...CONSTANT, ...still],
  });
  const momentum = await readSafetensors(join(checkpoint, 'momentum.safetensors'));
  const [finished, without] = await Promise.all(
    [join(output, 'stage-0'), join(folder, 'without')].map((directory) =>
      readSafetensors(join(directory, 'weights.safetensors')),
    ),
  );
  expect(momentum.size).toBeGreaterThan(5);
  for (const name of momentum.keys()) {
    const after = numbersOf(finished ?? momentum, name);
    const difference = numbersOf(without ?? momentum, name).map((weight, i) => weight - (after[i] ?? 0));
    const want = numbersOf(momentum, name).map((value) => 0.1 * 0.9 * value);
    // float32 weights of about 1: each of two is rounded to 6e-8, and the gradients' sums differ by as much.
    assertClose(difference, want, { rtol: 0, atol: 5e-7, note: name });
  }
});

test('a run stopped in the middle of a finishing goes on to the same bits, and repeats no epoch', async () => {
  const whole = await tinyRun(SET);
  const { folder, output } = await prepared();
  const again = { experiment: tinyExperiment(folder), set: SET };
  for (const [stage, epoch] of [
    [0, 0],
    [1, 1],
    [2, 2],
  ] as const) {
    const controller = new AbortController();
    let isFinishing = false;
    const stopped = grow(again, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.phase === 'fit' && event.stage === stage) {
          isFinishing ||= event.epochs === FINISH;
          if (isFinishing && event.epoch === epoch) controller.abort();
        }
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
    expect(await readdir(join(output, 'finish', `stage-${stage}`))).toContain(`checkpoint-0-${epoch}`);
    expect(await readdir(output)).toContain(`checkpoint-${stage}-2`);
  }
  const summary = await grow(again);
  for (const stage of [0, 1, 2]) {
    expect(await weightsIn(output, `stage-${stage}`)).toBe(await weightsIn(whole.output, `stage-${stage}`));
    expect(facts(await recordOf(output, stage))).toEqual(facts(await recordOf(whole.output, stage)));
    const lines = await readMetrics(join(output, 'finish', `stage-${stage}`));
    expect(lines.map(({ type }) => type)).toEqual(['epoch', 'epoch', 'epoch', 'evaluate']);
  }
  const events: string[] = [];
  expect(await grow(again, { onEvent: ({ type }) => events.push(type) })).toEqual(summary);
  expect(events).not.toContain('progress');
});

test('a finished run that is given more stages finishes those alone, to the same bits', async () => {
  const whole = await tinyRun(SET);
  const { folder, output } = await tinyRun([...SET, 'stop.stages=1']);
  const fitted = new Set<number>();
  const onEvent: RunControl['onEvent'] = (event) =>
    event.type === 'progress' && event.phase === 'fit' && fitted.add(event.stage);
  await grow({ experiment: tinyExperiment(folder), set: SET }, { onEvent });
  expect([...fitted]).toEqual([2]);
  for (const stage of [0, 1, 2])
    expect(await weightsIn(output, `stage-${stage}`)).toBe(await weightsIn(whole.output, `stage-${stage}`));
});

test('a run that takes stage 0 over takes its finished network over, and fits and finishes nothing at stage 0', async () => {
  const { folder } = await prepared();
  const spec = (name: string, set: readonly string[] = []) =>
    parseExperiment(tinyExperiment(folder, join(folder, name)), [...SET, ...set]);
  const [alone, first, adopting] = [spec('alone'), spec('first', ['stop.stages=0']), spec('adopting')];
  await growExperiment(alone);
  await growExperiment(first);
  const fitted = new Set<number>();
  await growExperiment(
    adopting,
    { onEvent: (event) => event.type === 'progress' && event.phase === 'fit' && fitted.add(event.stage) },
    { seedFrom: first.output },
  );
  expect([...fitted]).toEqual([1, 2]);
  for (const stage of [0, 1, 2]) {
    expect(await weightsIn(adopting.output, `stage-${stage}`)).toBe(
      await weightsIn(alone.output, `stage-${stage}`),
    );
    expect(facts(await recordOf(adopting.output, stage))).toEqual(facts(await recordOf(alone.output, stage)));
  }
  // Seconds and all: it is the very finishing that the other run did.
  const [own, theirs] = [await recordOf(adopting.output, 0), await recordOf(first.output, 0)];
  expect(own.finish).toEqual(theirs.finish);
  const other = spec('other', ['fit.finish.epochs=2']);
  await expect(growExperiment(other, {}, { seedFrom: first.output })).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining('fit.finish.epochs was 3, now 2'),
  });
});

test('at equal epochs rivals are trained for finishing too, as one training whose rate falls over its share', async () => {
  const { output, summary } = await tinyRun([
    ...SET,
    'fit.epochs=1',
    'stop.stages=1',
    `compare=${JSON.stringify(
      [
        { method: 'width-multiplier' },
        { method: 'scratch' },
        { method: 'prune-l1', base: 'grown' },
        { method: 'prune-bn', targets: [5000] },
      ].map((entry) => ({ ...entry, equal: 'epochs' })),
    )}`,
  ]);
  const [wide, scratch, l1, bn] = summary.compare ?? [];
  // Two stages of an epoch, and one finishing.
  for (const rival of [wide, scratch]) expect(rival).toMatchObject({ epochs: 5, totalEpochs: 5 });
  // A grown base has those behind it, and the pruned network is trained for as many.
  expect(l1).toMatchObject({ epochs: 5, totalEpochs: 10 });
  // One stage and its finishing, twice.
  expect(bn).toMatchObject({ epochs: 4, totalEpochs: 8 });
  const { fit } = await readJson<{ fit: unknown }>(wide?.directory ?? '', 'experiment.json');
  expect(fit).toMatchObject({
    epochs: 5,
    finish: { epochs: 0 },
    schedule: { kind: 'wsd', warmup: 0, decay: (5 * 3) / 4 },
  });
  const { grown } = await readJson<{ grown: unknown }>(output, 'compare.json');
  expect(grown).toMatchObject({ epochs: 5, top1: summary.stages[1]?.top1 });
  // What it took to find the architecture: the first stage without its finishing.
  const { seconds, finish = [] } = await recordOf(output, 0);
  const aside = finish.reduce((total, epoch) => total + epoch.seconds, 0);
  const growth = seconds.fit - aside + seconds.indices + seconds.select + seconds.grow;
  assertClose([scratch?.searchSeconds ?? 0], [growth], { rtol: 1e-12, atol: 0, note: 'doubles' });
  for (const rival of summary.compare ?? []) {
    const record = await readJson<StageRecord>(rival.directory, 'stage.json');
    expect(rival.flops2x).toBe(record.flops2x);
    expect(rival.flops2x).toBeGreaterThan(2 * rival.macs);
  }
});

test('train does fit and finishing as one training', async () => {
  const { folder, output } = await prepared();
  const { stop: _stop, ...experiment } = tinyExperiment(folder);
  await train({ experiment, set: SET });
  const record = await readJson<StageRecord>(output, 'stage.json');
  expect(record.epochs).toHaveLength(2 + FINISH);
  expect(record.finish).toBeUndefined();
  assertClose(
    record.epochs.map(({ learningRate }) => learningRate),
    [18, 18, 13, 7, 1].map((left) => (0.1 * left) / 18),
    { rtol: 1e-12, atol: 0, note: 'doubles' },
  );
  expect(await readdir(output)).not.toContain('finish');
});

/** Rates of every epoch's last minibatch, by the record of a stage: fitted, then finished. */
async function ratesOf(output: string, stage: number): Promise<readonly (readonly number[])[]> {
  const { epochs, finish = [] } = await recordOf(output, stage);
  return [epochs, finish].map((list) => list.map(({ learningRate }) => learningRate));
}

// 96 images in minibatches of 16: 6 an epoch.
test('a list of schedules and one of finishings give each stage its own rates', async () => {
  const schedules = ['{"kind":"constant"}', '{"kind":"wsd","decay":0.5}', '{"kind":"constant"}'];
  const { output } = await tinyRun([
    ...[`fit.schedule=[${schedules}]`, 'fit.epochs=[1,2,1]'],
    ...['fit.finish={"epochs":[0,0,3],"decay":2}'],
  ]);
  const close = { rtol: 1e-12, atol: 0, note: 'doubles' };
  const rates = await Promise.all([0, 1, 2].map((stage) => ratesOf(output, stage)));
  // Stage 1 falls over its last three minibatches, stage 2 over the last twelve of its finishing.
  const want = [
    [[0.1], []],
    [[0.1, 0.1 / 3], []],
    [[0.1], [0.1, (0.1 * 7) / 12, 0.1 / 12]],
  ];
  expect(rates.map((parts) => parts.map(({ length }) => length))).toEqual(
    want.map((parts) => parts.map(({ length }) => length)),
  );
  assertClose(rates.flat(2), want.flat(2), close);
});

const LAST = [...CONSTANT, `fit.finish={"epochs":${FINISH},"decay":1,"stages":"last"}`];
/** Nothing fits below it but the seed network and one growth. */
const ONE_GROWTH = 'splitting.growthRatio=[0.5,0.00001]';

test('the last stage alone is finished where stop.stages ends the run; more stages undo it, to the same bits', async () => {
  const whole = await tinyRun(LAST);
  expect(await readdir(join(whole.output, 'finish'))).toEqual(['stage-2']);
  const plain = await tinyRun(CONSTANT);
  for (const stage of [0, 1])
    expect(await weightsIn(whole.output, `stage-${stage}`)).toBe(
      await weightsIn(plain.output, `stage-${stage}`),
    );
  const close = { rtol: 1e-12, atol: 0, note: 'doubles' };
  assertClose((await ratesOf(whole.output, 2)).flat(), [0.1, 0.1, 0.1, 0.1, 0.1 / 6], close);
  const { folder, output } = await tinyRun([...LAST, 'stop.stages=1']);
  expect((await recordOf(output, 1)).finish).toHaveLength(FINISH);
  await grow({ experiment: tinyExperiment(folder), set: LAST });
  for (const stage of [0, 1, 2]) {
    expect(await weightsIn(output, `stage-${stage}`)).toBe(await weightsIn(whole.output, `stage-${stage}`));
    expect(facts(await recordOf(output, stage))).toEqual(facts(await recordOf(whole.output, stage)));
  }
});

test('the last stage is finished once nothing fits any more, and its record and network are written anew', async () => {
  const { folder, output, summary } = await tinyRun([...LAST, ONE_GROWTH]);
  const record = await recordOf(output, 1);
  expect(record).toMatchObject({ ended: 'no-fit', split: null });
  expect(record.finish).toHaveLength(FINISH);
  expect((await recordOf(output, 0)).finish).toBeUndefined();
  expect(summary.stages).toHaveLength(2);
  expect(await weightsIn(output, 'stage-1')).toBe(await weightsIn(output, 'finish', 'stage-1'));
  const data = parseData({ file: join(folder, 'data.safetensors') });
  expect(await evaluate({ network: join(output, 'stage-1'), data })).toMatchObject(record.evaluation);
  expect(summary.stages[1]).toMatchObject({ top1: record.evaluation.top1, loss: record.evaluation.loss });
  // The same network as where the end was known before, by stop.stages.
  const known = await tinyRun([...LAST, 'stop.stages=1']);
  expect(await weightsIn(output, 'stage-1')).toBe(await weightsIn(known.output, 'stage-1'));
  expect(facts(record.finish)).toEqual(facts((await recordOf(known.output, 1)).finish));
});

test('an iteration is told of each stage once, of the last as it was finished', async () => {
  const { folder, output } = await prepared();
  const told: unknown[] = [];
  for await (const { stage, top1, record } of grow({
    experiment: tinyExperiment(folder),
    set: [...LAST, ONE_GROWTH],
  }))
    told.push([stage, top1, record.finish?.length ?? 0]);
  const [first, last] = [await recordOf(output, 0), await recordOf(output, 1)];
  expect(told).toEqual([
    [0, first.evaluation.top1, 0],
    [1, last.evaluation.top1, FINISH],
  ]);
});

test('a run stopped in the finishing of a stage that turned out to be the last ends with the same bits', async () => {
  const set = [...LAST, ONE_GROWTH];
  const whole = await tinyRun(set);
  const { folder, output } = await prepared();
  const again = { experiment: tinyExperiment(folder), set };
  // In the indices of the last stage, then in each epoch of its finishing.
  const moments: readonly ((event: RunEvent, isFinishing: boolean) => boolean)[] = [
    (event) => event.type === 'progress' && event.phase === 'indices' && event.stage === 1,
    ...[0, 1, 2].map(
      (epoch) => (event: RunEvent, isFinishing: boolean) =>
        isFinishing && event.type === 'progress' && event.phase === 'fit' && event.epoch === epoch,
    ),
  ];
  for (const [k, isMoment] of moments.entries()) {
    const controller = new AbortController();
    let isFinishing = false;
    const stopped = grow(again, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.phase === 'fit' && event.stage === 1)
          isFinishing ||= event.epochs === FINISH;
        if (isMoment(event, isFinishing)) controller.abort();
      },
    });
    await expect(stopped, `moment ${k}`).rejects.toMatchObject({ code: 'E_ABORTED' });
    expect((await recordOf(output, 1)).ended, `moment ${k}`).toBeNull();
  }
  // A kill once it is finished, and before its network takes the place of the other: the folder as it is then.
  const killed = join(folder, 'killed');
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'note' && event.text.startsWith('the trained network is in'))
      cpSync(output, killed, { recursive: true, filter: (path) => !path.includes('run.lock') });
  };
  await grow(again, { onEvent });
  expect((await recordOf(killed, 1)).ended).toBeNull();
  expect((await recordOf(killed, 1)).finish).toBeUndefined();
  await grow({ experiment: tinyExperiment(folder, killed), set });
  for (const found of [output, killed]) {
    for (const stage of [0, 1]) {
      expect(await weightsIn(found, `stage-${stage}`)).toBe(await weightsIn(whole.output, `stage-${stage}`));
      expect(facts(await recordOf(found, stage))).toEqual(facts(await recordOf(whole.output, stage)));
    }
  }
  const events: string[] = [];
  await grow(again, { onEvent: ({ type }) => events.push(type) });
  expect(events).not.toContain('progress');
});

test('runs that finish their last stage alone share a stage 0, which is finished in neither', async () => {
  const { folder } = await prepared();
  const spec = (name: string, set: readonly string[] = []) =>
    parseExperiment(tinyExperiment(folder, join(folder, name)), [...LAST, ...set]);
  const [alone, first, adopting] = [spec('alone'), spec('first', ['fit.finish.epochs=0']), spec('adopting')];
  await growExperiment(alone);
  await growExperiment(parseExperiment({ ...first, stop: { stages: 0 } }));
  await growExperiment(adopting, {}, { seedFrom: first.output });
  for (const stage of [0, 1, 2])
    expect(await weightsIn(adopting.output, `stage-${stage}`)).toBe(
      await weightsIn(alone.output, `stage-${stage}`),
    );
});
