// Runs that pause to be kept, and runs that are stopped within an epoch or within splitting, end with the bits of others.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { grow } from '../../lib/api/grow.js';
import { train } from '../../lib/api/train.js';
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors.js';
import type { Phase, RunControl, RunEvent } from '../../lib/native/events.js';
import { digestsOf, sealed } from '../../lib/run/store/record-files.js';
import type { CheckpointRecord, Summary } from '../../lib/run/store/records.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

/** By default 300 minibatches an epoch: time enough to stop within one. */
async function prepared(set: readonly string[] = [], images = 4800) {
  const folder = temporaryFolder();
  await writeTinyData(folder, { train: images, test: 40 });
  const experiment = tinyExperiment(folder);
  const options = { experiment, set: ['stop.stages=1', ...set] };
  return {
    output: String(experiment.output),
    run: (control?: RunControl) => grow(options, control),
    options,
  };
}

interface Outcome {
  readonly summary: Summary;
  readonly weights: readonly Buffer[];
}

const withoutTimes = (text: string): string =>
  text.replace(/"(seconds|fit|indices|select|grow|evaluate)":[\d.e-]+/g, '');

async function outcomeOf(output: string): Promise<Outcome & { readonly metrics: string }> {
  const summary = await readJson<Summary>(output, 'summary.json');
  const files = summary.stages.map(({ stage }) => join(output, `stage-${stage}`, 'weights.safetensors'));
  const weights = await Promise.all(files.map((file) => readFile(file)));
  return { summary, weights, metrics: withoutTimes(await readFile(join(output, 'metrics.jsonl'), 'utf8')) };
}

async function expectSame(found: string, expected: string): Promise<void> {
  const [a, b] = [await outcomeOf(found), await outcomeOf(expected)];
  expect(a.metrics).toBe(b.metrics);
  for (const [stage, weights] of b.weights.entries())
    expect(a.weights[stage]?.equals(weights), `stage ${stage}`).toBe(true);
  expect(a.weights).toHaveLength(b.weights.length);
}

/** Stops the run at the first progress of a phase of a stage. @returns what it was stopped with */
async function stoppedAt(
  run: (control: RunControl) => Promise<unknown>,
  wanted: { readonly stage: number; readonly phase: Phase; readonly epoch?: number },
): Promise<unknown> {
  const controller = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'note') return;
    const isThere = event.stage === wanted.stage && event.phase === wanted.phase;
    if (isThere && event.epoch === (wanted.epoch ?? 0)) controller.abort();
  };
  return run({ signal: controller.signal, onEvent }).then(
    () => null,
    (error: unknown) => error,
  );
}

const named = async (output: string): Promise<readonly string[]> =>
  (await readdir(output)).filter((name) => name.startsWith('checkpoint-'));

test('pausing to be kept as often as it can be changes no bit, and keeps two checkpoints', async () => {
  const [plain, often] = [await prepared([], 960), await prepared(['checkpoint.minutes=0.00001'], 960)];
  await plain.run();
  const seen = new Set<string>();
  await often.run({
    onEvent: () => void named(often.output).then((names) => names.forEach((name) => void seen.add(name))),
  });
  await expectSame(often.output, plain.output);
  expect(await named(often.output)).toHaveLength(2);
  expect([...seen].some((name) => /^checkpoint-\d-\d-fit-\d+$/.test(name))).toBe(true);
  expect([...seen].some((name) => /^checkpoint-0-2-(indices|grow)-\d+$/.test(name))).toBe(true);
});

describe('a run stopped on the way says where, and goes on from that very minibatch to the same bits', () => {
  const METHODS: readonly (readonly [string, readonly string[]])[] = [
    ['exact', []],
    ['descending', ['splitting.method=rayleigh', 'splitting.epochs=3', 'splitting.batch=16']],
    [
      'with norms that drift, and kept momentum',
      [
        ...['splitting.method=rayleigh', 'splitting.epochs=3', 'splitting.batch=16'],
        ...['splitting.depthwiseBatchNorm=train', 'splitting.optimizerState=keep'],
      ],
    ],
  ];
  test.each(METHODS)('%s', async (_name, more) => {
    const set = ['splitting.recalibrateImages=40', ...more];
    const [plain, broken] = [await prepared(set), await prepared(set)];
    await plain.run();
    const error = await stoppedAt(broken.run, { stage: 0, phase: 'fit', epoch: 1 });
    expect(error).toMatchObject({ code: 'E_ABORTED' });
    const minibatch = Number(/after minibatch (\d+) of epoch 2 of stage 0/.exec(String(error))?.[1]);
    expect(await named(broken.output)).toContain(`checkpoint-0-1-fit-${minibatch}`);
    const state = await readJson<CheckpointRecord>(
      broken.output,
      `checkpoint-0-1-fit-${minibatch}`,
      'state.json',
    );
    expect(state).toMatchObject({ stage: 0, epoch: 1, within: { phase: 'fit', done: minibatch } });
    expect(await stoppedAt(broken.run, { stage: 0, phase: 'indices' })).toMatchObject({
      code: 'E_ABORTED',
      message: expect.stringContaining('within the splitting indices of stage 0'),
    });
    expect(await named(broken.output)).toContain('checkpoint-0-2-indices-1');
    expect(await stoppedAt(broken.run, { stage: 0, phase: 'grow' })).toMatchObject({ code: 'E_ABORTED' });
    expect((await named(broken.output)).some((name) => name.startsWith('checkpoint-0-2-grow-'))).toBe(true);
    expect(await stoppedAt(broken.run, { stage: 1, phase: 'fit' })).toMatchObject({ code: 'E_ABORTED' });
    const phases: string[] = [];
    const notes: string[] = [];
    await broken.run({
      onEvent: (event) => {
        if (event.type === 'note') notes.push(event.text);
        else phases.push(`${event.stage} ${event.phase}`);
      },
    });
    expect(notes[0]).toMatch(/^continues after epoch 0 of stage 1 and minibatch \d+ of the next one$/);
    expect(phases).not.toContain('0 indices');
    await expectSame(broken.output, plain.output);
  });
});

test('sparsity training goes on with the penalties that its epoch began with', async () => {
  const set = [
    ...['fit.epochs=2', 'splitting.method=exact', 'stop.stages=0'],
    'compare=[{"method":"prune-bn","targets":[4000],"strength":0.01,"epochs":2}]',
  ];
  // Images enough that the work is not over when the stop is heard on a busy machine.
  const [plain, broken] = [await prepared(set), await prepared(set)];
  const summary = await plain.run();
  const error = await stoppedAt(broken.run, { stage: 1, phase: 'fit', epoch: 1 });
  expect(error).toMatchObject({ code: 'E_ABORTED', message: expect.stringContaining('after minibatch') });
  const again = await broken.run();
  const facts = ({ compare }: Summary) => compare?.map(({ top1, loss, widths }) => ({ top1, loss, widths }));
  expect(facts(again)).toEqual(facts(summary));
});

/** A checkpoint as an earlier version wrote it: without some tensors of its indices. */
async function keptLess(directory: string, isLeftOut: (name: string) => boolean): Promise<void> {
  const file = join(directory, 'indices.safetensors');
  const tensors = await readSafetensors(file);
  const left = new Map([...tensors].filter(([name]) => !isLeftOut(name)));
  expect(left.size).toBeLessThan(tensors.size);
  await writeSafetensors(file, left);
  const { sha256, files, ...record } = await readJson<CheckpointRecord>(directory, 'state.json');
  const text = sealed(record, await digestsOf(directory, Object.keys(files)));
  await writeFile(join(directory, 'state.json'), text);
}

test.each([
  ['indices', (name: string) => name === 'rounds'],
  ['grow', (name: string) => name.startsWith('descent:')],
] as const)(
  'indices that an earlier version kept otherwise (%s) are computed anew, with a note',
  async (phase, isLeftOut) => {
    const descent = ['splitting.method=rayleigh', 'splitting.epochs=3', 'splitting.batch=16'];
    const set = ['splitting.recalibrateImages=40', ...descent];
    const [plain, broken] = [await prepared(set), await prepared(set)];
    await plain.run();
    expect(await stoppedAt(broken.run, { stage: 0, phase })).toMatchObject({ code: 'E_ABORTED' });
    const kept = (await named(broken.output)).filter((name) => name.startsWith(`checkpoint-0-2-${phase}-`));
    expect(kept).toHaveLength(1);
    await keptLess(join(broken.output, String(kept[0])), isLeftOut);
    const notes: string[] = [];
    await broken.run({ onEvent: (event) => void (event.type === 'note' && notes.push(event.text)) });
    expect(notes).toContainEqual(
      expect.stringMatching(
        /^WARNING: the indices are computed anew: .*another version of splitgrow wrote it/,
      ),
    );
    await expectSame(broken.output, plain.output);
  },
);

test('train alone is stopped and goes on alike', async () => {
  const [plain, broken] = [await prepared(), await prepared()];
  const run = ({ options }: typeof plain, control: RunControl = {}) =>
    train({ experiment: { ...options.experiment, stop: {} } }, control);
  await run(plain);
  const stopped = await stoppedAt((control) => run(broken, control), { stage: 0, phase: 'fit', epoch: 1 });
  expect(stopped).toMatchObject({ code: 'E_ABORTED', message: expect.stringContaining('of epoch 2') });
  await run(broken);
  const bytes = ({ output }: typeof plain) => readFile(join(output, 'weights.safetensors'));
  expect((await bytes(broken)).equals(await bytes(plain))).toBe(true);
});
