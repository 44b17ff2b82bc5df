import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluate } from '../../../lib/api/evaluate.js';
import { train } from '../../../lib/api/train.js';
import { parseData } from '../../../lib/run/spec/spec.js';
import type { StageRecord } from '../../../lib/run/store/records.js';
import { loadNetwork, saveNetwork } from '../../../lib/train/network.js';
import { asRead, readJson, temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

async function prepared(): Promise<{
  readonly folder: string;
  readonly output: string;
  readonly experiment: Record<string, unknown>;
}> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const { stop: _stop, ...experiment } = tinyExperiment(folder);
  return { folder, output: String(experiment.output), experiment };
}

test('train writes the trained network to the output itself, and its summary says what it reaches', async () => {
  const { folder, output, experiment } = await prepared();
  const summary = await train({ experiment: asRead(experiment) });
  expect(summary.stages).toHaveLength(1);
  const [stage] = summary.stages;
  expect(stage).toMatchObject({ stage: 0, directory: output, split: {} });
  const data = parseData({ file: join(folder, 'data.safetensors') });
  const measured = await evaluate({ network: output, data });
  expect(measured).toMatchObject({ top1: stage?.top1, top5: stage?.top5, loss: stage?.loss });
  const record = await readJson<StageRecord>(output, 'stage.json');
  expect(record.epochs.map(({ epoch }) => epoch)).toEqual([0, 1]);
  expect(record.epochs[1]?.loss).toBeLessThan(record.epochs[0]?.loss ?? 0);
});

test('training that was aborted continues from its last epoch to the same bits', async () => {
  const [whole, broken] = [await prepared(), await prepared()];
  await train({ experiment: asRead(whole.experiment) });
  const controller = new AbortController();
  const onEvent = (event: { readonly type: string; readonly text?: string }): void => {
    if (event.type === 'note' && event.text?.startsWith('epoch 1') === true) controller.abort();
  };
  await expect(
    train({ experiment: asRead(broken.experiment) }, { signal: controller.signal, onEvent }),
  ).rejects.toMatchObject({ code: 'E_ABORTED' });
  expect(await readdir(broken.output)).toContain('checkpoint-0-1');
  const notes: string[] = [];
  await train(
    { experiment: asRead(broken.experiment) },
    { onEvent: (event) => event.type === 'note' && notes.push(event.text) },
  );
  expect(notes).toContain('continues after epoch 1 of stage 0');
  const bytes = ({ output }: { readonly output: string }): Promise<Buffer> =>
    readFile(join(output, 'weights.safetensors'));
  expect((await bytes(broken)).equals(await bytes(whole))).toBe(true);
});

test('a network directory is where training starts, and its images must fit', async () => {
  const { folder, experiment } = await prepared();
  await train({ experiment: asRead(experiment) });
  const start = join(folder, 'start');
  using network = await loadNetwork(String(experiment.output), { device: 'cpu' });
  await saveNetwork(network, start);
  const again = { ...experiment, network: { directory: start }, output: join(folder, 'again') };
  await train({ experiment: asRead(again), set: ['fit.epochs=0'] });
  const weights = (directory: string): Promise<Buffer> => readFile(join(directory, 'weights.safetensors'));
  expect((await weights(again.output)).equals(await weights(start))).toBe(true);
  const other = { ...again, data: { name: 'fashion-mnist', testImages: 10 }, output: join(folder, 'other') };
  await expect(train({ experiment: asRead(other) })).rejects.toMatchObject({ code: 'E_DATA', exitCode: 2 });
  expect(await readdir(folder)).not.toContain('other');
});

test('a folder with a network of no run, or of the other command, is refused as output', async () => {
  const { folder, output, experiment } = await prepared();
  await train({ experiment: asRead(experiment) });
  for (const name of ['experiment.json', 'run.json']) await rm(join(output, name));
  await expect(train({ experiment: asRead(experiment) })).rejects.toMatchObject({ code: 'E_RESUME' });
  expect(await readdir(folder)).toContain('run');
});
