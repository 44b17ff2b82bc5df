// bfloat16 in a run: what records and notes say of it, that a stop changes no bit, and that indices do not see it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grow } from '../../lib/api/grow.js';
import type { RunControl } from '../../lib/native/events.js';
import { loadCore } from '../../lib/native/load.js';
import type { StageRecord } from '../../lib/run/store/records.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

// Elsewhere bfloat16 is refused or LibTorch's (test/native/bfloat16.test.ts).
const narrow = test.skipIf(loadCore().features().bfloat16.engine === '');

async function prepared(precision: string): Promise<{ readonly output: string; readonly run: Run }> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  // Wide enough for a layer to gain by bfloat16.
  const set = [`fit.precision=${precision}`, 'stop.stages=1', 'network.width=24'];
  return {
    output: join(folder, 'run'),
    run: (control = {}) => grow({ experiment: tinyExperiment(folder), set }, control),
  };
}
type Run = (control?: RunControl) => Promise<unknown>;

const weightsIn = (output: string, stage: number): Promise<string> =>
  readFile(join(output, `stage-${stage}`, 'weights.safetensors'), 'hex');
const recordIn = (output: string, stage: number): Promise<StageRecord> =>
  readJson<StageRecord>(output, `stage-${stage}`, 'stage.json');

narrow('epochs in bfloat16 say so, auto takes it, and float32 stays what it was', async () => {
  const [asked, auto, wide] = await Promise.all(['bfloat16', 'auto', 'float32'].map(prepared));
  if (asked === undefined || auto === undefined || wide === undefined) throw new Error('three runs');
  const notes: string[] = [];
  await asked.run();
  await auto.run({ onEvent: (event) => event.type === 'note' && notes.push(event.text) });
  await wide.run();
  expect(notes.filter((text) => text === 'trains in bfloat16')).toHaveLength(2);
  for (const stage of [0, 1]) {
    expect(await weightsIn(auto.output, stage)).toBe(await weightsIn(asked.output, stage));
    expect(await weightsIn(wide.output, stage)).not.toBe(await weightsIn(asked.output, stage));
    const precisions = async (output: string) =>
      (await recordIn(output, stage)).epochs.map(({ precision }) => precision);
    expect(await precisions(asked.output)).toEqual(['bfloat16', 'bfloat16']);
    expect(await precisions(wide.output)).toEqual([undefined, undefined]);
  }
});

narrow('a run in bfloat16 that was stopped goes on to the same bits', async () => {
  const [whole, again] = [await prepared('bfloat16'), await prepared('bfloat16')];
  await whole.run();
  const controller = new AbortController();
  const stopped = again.run({
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === 'progress' && event.phase === 'fit' && event.stage === 1 && event.epoch === 1)
        controller.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
  await again.run();
  for (const stage of [0, 1])
    expect(await weightsIn(again.output, stage)).toBe(await weightsIn(whole.output, stage));
});
