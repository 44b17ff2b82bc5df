// Rivals trained again, together, alone and in pieces: nothing is done twice, and what cannot be is refused.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compare } from '../../lib/api/compare.js';
import { evaluate } from '../../lib/api/evaluate.js';
import type { RunControl } from '../../lib/native/events.js';
import { parseData } from '../../lib/run/spec/spec.js';
import type { CompareRecord, Summary } from '../../lib/run/store/records.js';
import {
  atStages,
  bytesOf,
  type Entry,
  experimentIn,
  foldersOf,
  type Played,
  played,
  rivalsOf,
  run,
  withoutRivals,
} from './contest.js';
import { asRead, readJson, temporaryFolder } from './tiny.js';

const USED = ['prune-l1', 'prune-bn', 'morphnet', 'resolution-multiplier'].map(atStages);

let whole: Played;
beforeAll(async () => {
  whole = await played(USED);
  return () => rm(whole.folder, { recursive: true, force: true });
}, 600_000);
const of = (method: string, summary = whole.summary) => rivalsOf(method, summary);

test('compare.json holds what the summary says, and a second run trains nothing and says the same', async () => {
  const { rivals, grown } = await readJson<CompareRecord>(whole.output, 'compare.json');
  expect(rivals).toEqual(whole.summary.compare);
  expect(grown).toMatchObject({ macs: whole.summary.stages[2]?.macs, epochs: 3 });
  const events: string[] = [];
  const again = await run(whole.folder, whole.output, USED, { onEvent: ({ type }) => events.push(type) });
  expect(again).toEqual(whole.summary);
  expect(events).not.toContain('progress');
});

test('experiments that share a run keep the rivals of both, and other options are another rival', async () => {
  const output = await withoutRivals(whole);
  const entry = { method: 'prune-bn', pretrainEpochs: 1, epochs: 0 };
  await run(whole.folder, output, [entry]);
  await run(whole.folder, output, ['width-multiplier']);
  const { compare: rivals = [] } = await run(whole.folder, output, [{ ...entry, strength: 1e-3 }]);
  expect(rivals.map(({ method, options }) => [method, options.strength])).toEqual([
    ['prune-bn', 1e-4],
    ['width-multiplier', undefined],
    ['prune-bn', 1e-3],
  ]);
  expect(new Set(rivals.map(({ directory }) => directory)).size).toBe(3);
  expect((await foldersOf(output)).filter((name) => name.startsWith('prune-bn-base-'))).toHaveLength(2);
  const { rivals: kept } = await readJson<CompareRecord>(output, 'compare.json');
  expect(kept).toEqual(rivals);
});

test('a record with a multiplier of a grown base, which has none, is made anew', async () => {
  const output = await withoutRivals(whole);
  const entry = { method: 'prune-l1', base: 'grown', at: 'last', epochs: 0 };
  const { compare: made = [] } = await run(whole.folder, output, [entry]);
  const file = join(output, 'compare.json');
  const kept = await readJson<CompareRecord>(file);
  const old = kept.rivals.map((rival) => ({ ...rival, options: { ...rival.options, baseMultiplier: 2 } }));
  await writeFile(file, JSON.stringify({ ...kept, rivals: old }));
  const { compare: rivals } = await run(whole.folder, output, [entry]);
  expect(rivals).toEqual(made);
  expect(made.map(({ options }) => options.baseMultiplier)).toEqual([undefined]);
});

test('a grown base is pruned with its own weights, without further training by L1', async () => {
  const output = await withoutRivals(whole);
  const entry = { base: 'grown', at: 'stages', equal: 'epochs', epochs: 0 };
  const summary = await run(whole.folder, output, [
    { method: 'prune-l1', ...entry },
    { method: 'prune-bn', ...entry },
  ]);
  const [small, all] = of('prune-l1', summary);
  // At its own MACs nothing is pruned, and without fine-tuning the network is the grown one.
  expect(all).toMatchObject({ macs: whole.summary.stages[2]?.macs, epochs: 0, totalEpochs: 3 });
  expect((await bytesOf(all?.directory ?? '')).equals(await bytesOf(join(output, 'stage-2')))).toBe(true);
  expect(all?.top1).toBe(whole.summary.stages[2]?.top1);
  expect(small?.macs).toBeLessThanOrEqual(whole.summary.stages[1]?.macs ?? 0);
  const [smallBn] = of('prune-bn', summary);
  expect(smallBn).toMatchObject({ epochs: 0, totalEpochs: 6 });
});

test.each(['prune-bn', 'morphnet'])(
  '%s stopped amid its trainings goes on to the same weights',
  async (method) => {
    const output = await withoutRivals(whole);
    const entry = atStages(method);
    // After an epoch of the shared training, then after one of a target's own.
    for (const seen of [1, 5]) {
      const controller = new AbortController();
      let epochs = 0;
      const onEvent: RunControl['onEvent'] = (event) => {
        if (event.type !== 'note' || !event.text.startsWith('epoch ')) return;
        epochs += 1;
        if (epochs === seen) controller.abort();
      };
      const stopped = run(whole.folder, output, [entry], { signal: controller.signal, onEvent });
      await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
    }
    const summary = await run(whole.folder, output, [entry]);
    for (const [i, rival] of of(method, summary).entries()) {
      const expected = of(method)[i];
      expect(rival).toMatchObject({ macs: expected?.macs, top1: expected?.top1, widths: expected?.widths });
      expect(
        (await bytesOf(rival.directory)).equals(await bytesOf(expected?.directory)),
        `target ${rival.target}`,
      ).toBe(true);
    }
  },
);

describe('rivals alone', () => {
  test('for a grown run they are those that the run itself would have trained', async () => {
    const output = await withoutRivals(whole);
    const summary = await compare({
      experiment: asRead(experimentIn(whole.folder, output, [atStages('prune-l1')])),
    });
    expect(summary.stages).toHaveLength(3);
    for (const [i, { directory }] of of('prune-l1', summary).entries()) {
      const [one, other] = [await bytesOf(directory), await bytesOf(of('prune-l1')[i]?.directory ?? '')];
      expect(one.equals(other)).toBe(true);
    }
  });

  test('to targets in MACs they need no grown run', async () => {
    const output = join(temporaryFolder(), 'run');
    const targets = [6000, 2500];
    const entries = ['width-multiplier', 'prune-l1'].map((method) => ({ method, targets }));
    const summary = await compare({ experiment: asRead(experimentIn(whole.folder, output, entries)) });
    expect(summary.stages).toEqual([]);
    const rivals = summary.compare ?? [];
    expect(rivals.map(({ target }) => target)).toEqual([2500, 6000, 2500, 6000]);
    for (const rival of rivals) {
      expect(rival.stage).toBeNull();
      expect(rival.macs).toBeLessThanOrEqual(rival.target);
      expect(rival.epochs).toBe(1);
    }
  });

  test('against a run that is not there, or not at its end, they are refused', async () => {
    const output = join(temporaryFolder(), 'run');
    const alone = (entries: readonly Entry[]): Promise<Summary> =>
      compare({ experiment: asRead(experimentIn(whole.folder, output, entries)) });
    const refused = (text: string) => ({ code: 'E_EXPERIMENT', message: expect.stringContaining(text) });
    await expect(alone(['prune-l1'])).rejects.toMatchObject(refused('holds none'));
    await expect(alone([])).rejects.toMatchObject(refused('at least one rival'));
    const grownBase = { method: 'prune-l1', base: 'grown', targets: [5000] };
    await expect(alone([grownBase])).rejects.toMatchObject(refused('needs a grown network'));
    const unfinished = await withoutRivals(whole);
    await rm(join(unfinished, 'stage-2'), { recursive: true });
    await expect(
      compare({ experiment: asRead(experimentIn(whole.folder, unfinished, ['prune-l1'])) }),
    ).rejects.toMatchObject(refused('not come to its end'));
  });
});

test('a network of lower resolution is evaluated on resized images only, and says so', async () => {
  const [rival] = of('resolution-multiplier');
  const options = {
    network: rival?.directory ?? '',
    data: parseData({ file: join(whole.folder, 'data.safetensors') }),
  };
  await expect(evaluate(options)).rejects.toMatchObject({
    code: 'E_DATA',
    message: expect.stringContaining(`takes images of [1, ${rival?.resolution}, ${rival?.resolution}]`),
  });
  expect(await evaluate({ ...options, resize: true })).toMatchObject({
    top1: rival?.top1,
    loss: rival?.loss,
  });
});

test('a target below what a method can reach is refused', async () => {
  const output = join(temporaryFolder(), 'run');
  for (const method of ['width-multiplier', 'resolution-multiplier', 'prune-l1', 'morphnet']) {
    await expect(
      compare({ experiment: asRead(experimentIn(whole.folder, output, [{ method, targets: [20] }])) }),
      method,
    ).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  }
});
