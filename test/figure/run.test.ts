// Figures of tiny runs, from their files to figure.json.
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ReproduceOptions, reproduce } from '../../lib/api/reproduce.js';
import type { FigureResult } from '../../lib/figure/result.js';
import type { FigureEvent } from '../../lib/figure/run.js';
import { readJson } from '../run/tiny.js';
import { figureOnDisk, type Place } from './made-up.js';

function options({ root, out }: Place, change: Partial<ReproduceOptions> = {}): ReproduceOptions {
  return { id: 'mini', experiments: root, out, scale: 'smoke', jobs: 2, ...change };
}

/** Epochs that were fitted, as "run, stage". */
function fits(events: readonly FigureEvent[]): readonly string[] {
  const found = events.flatMap((one) =>
    one.type === 'run' && one.event.type === 'progress' && one.event.phase === 'fit'
      ? [`${one.run}, stage ${one.event.stage}`]
      : [],
  );
  return [...new Set(found)].sort();
}

/** Weights of the last stage by run. */
async function weightsIn(out: string): Promise<Readonly<Record<string, string>>> {
  const runs = join(out, 'smoke', 'runs');
  const names = (await readdir(runs)).filter((name) => !name.includes('stage0')).sort();
  const texts = names.map((name) => readFile(join(runs, name, 'stage-1', 'weights.safetensors'), 'hex'));
  return Object.fromEntries((await Promise.all(texts)).map((text, at) => [names[at], text]));
}

test('runs share their seed network, which is fitted once; the same call again fits nothing', async () => {
  const place = await figureOnDisk();
  const events: FigureEvent[] = [];
  const document = await reproduce(options(place), { onEvent: (event) => events.push(event) });
  expect(document.failed).toEqual([]);
  expect(fits(events)).toEqual([
    'aware, seed 0, stage 1',
    'random, seed 0, stage 1',
    'seed network of tiny, seed 0, stage 0',
  ]);
  const figure = await readJson<FigureResult>(document.directory, 'figure.json');
  expect(figure.curves).toEqual(document.curves);
  expect(figure.curves.map(({ label, points }) => [label, points.length])).toEqual([
    ['aware', 2],
    ['random', 2],
  ]);
  const [aware, random] = figure.curves;
  expect(aware?.points[0]?.top1).toBe(random?.points[0]?.top1);
  for (const point of figure.curves.flatMap(({ points }) => points))
    expect(existsSync(join(document.directory, point.directory ?? '', 'network.json'))).toBe(true);
  expect(Object.keys(figure.versions)).toEqual(['splitgrow', 'LibTorch', 'Node']);

  const again: FigureEvent[] = [];
  const second = await reproduce(options(place), { onEvent: (event) => again.push(event) });
  expect(fits(again)).toEqual([]);
  expect(second.curves).toEqual(document.curves);
});

test('side by side or one after the other, the networks are the same to the bit', async () => {
  const [one, two] = [await figureOnDisk(), await figureOnDisk()];
  await reproduce(options(one, { jobs: 1 }));
  await reproduce(options(two, { jobs: 3 }));
  const [first, second] = [await weightsIn(one.out), await weightsIn(two.out)];
  expect(Object.values(second)).toEqual(Object.values(first));
});

test('a run that fails is named, and the figure is made from the others', async () => {
  const curves = [
    { label: 'good', experiment: 'tiny.json' },
    { label: 'bad', experiment: 'tiny.json', set: ['fit.optimizer.learningRate=1e30'] },
  ];
  const place = await figureOnDisk({ curves });
  const document = await reproduce(options(place));
  expect(document.failed).toEqual([
    {
      run: 'seed network of tiny, seed 0',
      code: 'E_NOT_FINITE',
      message: expect.stringContaining('learningRate'),
    },
    {
      run: 'bad, seed 0',
      code: 'E_NOT_FINITE',
      message: 'not begun, because "seed network of tiny, seed 0" failed',
    },
  ]);
  expect(document.curves.map(({ label }) => label)).toEqual(['good']);
  await expect(
    reproduce(options(place, { out: join(place.out, 'other'), set: ['fit.optimizer.learningRate=1e30'] })),
  ).rejects.toMatchObject({
    code: 'E_FIGURE',
    message: expect.stringContaining('"seed network of tiny, seed 0"'),
  });
});

test('an abort stops every run, and the same call again ends with the bits of one that was not stopped', async () => {
  const [whole, broken] = [await figureOnDisk(), await figureOnDisk()];
  await reproduce(options(whole));
  const controller = new AbortController();
  const stopped = reproduce(options(broken), {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === 'run' && event.event.type === 'progress' && event.event.stage === 1)
        controller.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
  await reproduce(options(broken));
  expect(Object.values(await weightsIn(broken.out))).toEqual(Object.values(await weightsIn(whole.out)));
});

test('figure.json never loses a point that it had, and has all in the end', async () => {
  const place = await figureOnDisk();
  const points: number[] = [];
  await reproduce(options(place, { jobs: 1 }), {
    onEvent: (event) => {
      if (event.type !== 'written') return;
      const file = join(place.out, 'smoke', 'mini', 'figure.json');
      const { curves } = JSON.parse(readFileSync(file, 'utf8')) as FigureResult;
      points.push(curves.reduce((sum, curve) => sum + curve.points.length, 0));
    },
  });
  // Two curves of two stages in the end. Whether any write comes before depends on the machine: they are paced.
  expect([...points].sort()).toEqual(points);
  expect(points.at(-1)).toBe(4);
});

test('a figure.json that cannot be written is told of after the runs, which it does not end', async () => {
  const place = await figureOnDisk();
  const directory = join(place.out, 'smoke', 'mini');
  await mkdir(join(directory, 'figure.json'), { recursive: true });
  await expect(reproduce(options(place))).rejects.toMatchObject({ code: 'E_WRITE' });
  expect(Object.keys(await weightsIn(place.out))).toHaveLength(2);
});

test('another figure over the same experiment trains nothing again, and more seeds only the new ones', async () => {
  const place = await figureOnDisk();
  await reproduce(options(place));
  await rm(join(place.out, 'smoke', 'mini'), { recursive: true });
  const events: FigureEvent[] = [];
  const document = await reproduce(options(place, { seeds: 2 }), { onEvent: (event) => events.push(event) });
  expect(document.seeds).toEqual([0, 1]);
  expect(fits(events).every((one) => one.includes('seed 1'))).toBe(true);
  expect(document.curves[0]?.costs.map(({ seed }) => seed)).toEqual([0, 1]);
});

test('missing data ends it before anything is written', async () => {
  const place = await figureOnDisk({}, { data: { name: 'cifar10', root: '/nowhere' } });
  await expect(reproduce(options(place))).rejects.toMatchObject({ code: 'E_DATA' });
  expect(existsSync(place.out)).toBe(false);
});
