import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { benchSplitting } from '../../lib/api/bench-splitting.js';
import {
  isLeftOut,
  type Search,
  type SplittingBenchDocument,
  type WholeSearches,
} from '../../lib/bench/documents.js';
import type { SplittingBenchOptions } from '../../lib/bench/options.js';
import { measureWholes } from '../../lib/bench/whole.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { keptOf, weighMethods } from '../../lib/split/indices/auto.js';
import { createNetwork } from '../../lib/train/network.js';
import { assertClose } from '../reference.js';
import { temporaryFolder } from '../run/tiny.js';

const TINY: SplittingBenchOptions = {
  network: 'mobilenet_cifar10',
  resolution: 8,
  preset: { blocks: 1, channels: 1, classes: 4 },
  widths: [2, 4, 6],
  images: 100,
  epochs: 3,
  batchSize: 16,
  repeats: 2,
  parts: 2,
  checkSeconds: 5,
  threads: 1,
};

const readDocument = async (folder: string): Promise<SplittingBenchDocument> =>
  JSON.parse(await readFile(join(folder, 'splitting.json'), 'utf8')) as SplittingBenchDocument;

/** Cells of every table of the page, head first. */
function tables(markdown: string): readonly (readonly (readonly string[])[])[] {
  return markdown
    .split('\n\n')
    .filter((part) => part.startsWith('| '))
    .map((part) =>
      part.split('\n').map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
    );
}

const passesOf = (wholes: WholeSearches | null, method: keyof WholeSearches): number => {
  const search = wholes?.[method];
  return search === undefined || isLeftOut(search) ? Number.NaN : search.passes;
};

const numberIn = (text: string | undefined): number => Number(text?.replaceAll(',', '') ?? Number.NaN);

test('a run measures every width, and its files say the same', { timeout: 600_000 }, async () => {
  const out = join(temporaryFolder(), 'out');
  const { files, ...document } = await benchSplitting({ ...TINY, out });
  expect(document).toMatchObject({ format: 'splitgrow-splitting-bench/2', isComplete: true, batch: 16 });
  for (const load of Object.values(document.load)) expect(load).toBeGreaterThanOrEqual(0);
  expect(document.points.map(({ width }) => width)).toEqual([2, 4, 6]);
  for (const { searches, steps, equalEpochs, auto, wholes } of document.points) {
    for (const search of Object.values(searches)) expect((search as Search).seconds).toBeGreaterThan(0);
    for (const step of Object.values(steps)) expect(step).toMatchObject({ repeats: 2 });
    // 100 images are 7 minibatches of 16.
    const [fast, rayleigh] = [searches.fast, steps.rayleighStep];
    if (isLeftOut(fast) || isLeftOut(rayleigh)) throw new Error('fast was left out');
    assertClose([fast.seconds], [(3 * 7 * rayleigh.medianMs) / 1000], { rtol: 1e-12, atol: 0 });
    expect(equalEpochs).toBeGreaterThan(0);
    expect(auto.exactLayers + auto.lobpcgLayers).toBe(3);
    expect(wholes?.exact).toMatchObject({ passes: 1, above: 0, distance: 0, worst: 0 });
    // As a stage has it: neurons above the tolerance go on up to three times the epochs asked for.
    expect((['rayleigh', 'lobpcg'] as const).map((method) => passesOf(wholes, method))).toEqual([
      expect.toSatisfy((epochs: number) => epochs >= 3 && epochs <= 9),
      expect.toSatisfy((passes: number) => passes >= 1 && passes <= 12),
    ]);
    for (const search of Object.values(wholes ?? {})) expect(search).toMatchObject({ repeats: 3 });
  }
  expect(document.parts?.points.map(({ chains, neurons }) => [chains, neurons])).toEqual([
    [2, 12],
    [3, 18],
  ]);
  expect(document.check).toMatchObject({
    width: 2,
    epochs: 3,
    searches: [{ method: 'fast' }, { method: 'exact' }],
  });

  expect(await readDocument(out)).toEqual(JSON.parse(JSON.stringify(document)));
  const names = ['json', 'csv', 'md', 'html', 'svg'].map((end) => `splitting.${end}`);
  expect((await readdir(out)).sort()).toEqual(
    [...names, ...['memory', 'neurons', 'parts', 'methods'].map((plot) => `splitting-${plot}.svg`)].sort(),
  );
  expect(files.map((file) => existsSync(file))).toEqual(files.map(() => true));

  const [head = [], ...rows] = (await readFile(join(out, 'splitting.csv'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const cell = (row: number, name: string): number => numberIn(rows[row]?.[head.indexOf(name)]);
  expect(rows.map(([series]) => series)).toEqual(['width', 'width', 'width', 'part', 'part']);
  const [stepTable = [], searchTable = [], wholeTable = []] = tables(
    await readFile(join(out, 'splitting.md'), 'utf8'),
  );
  for (const [i, { width, neurons, steps, searches, wholes }] of document.points.entries()) {
    const [fast, exact, sums] = [searches.fast, searches.exact, steps.exactStep];
    if (isLeftOut(fast) || isLeftOut(exact) || isLeftOut(sums)) throw new Error('a method was left out');
    expect([cell(i, 'width'), cell(i, 'neurons'), cell(i, 'sweeps')]).toEqual([width, neurons, exact.sweeps]);
    expect(cell(i, 'fast_scaledSeconds')).toBe(fast.seconds);
    expect(cell(i, 'exact_scaledSeconds')).toBe(exact.seconds);
    expect(cell(i, 'exactStep_medianMs')).toBe(sums.medianMs);
    const methods = ['exact', 'rayleigh', 'lobpcg', 'auto'] as const;
    for (const [j, method] of methods.entries()) {
      const whole = wholes?.[method];
      if (whole === undefined || isLeftOut(whole)) throw new Error(`${method} was left out`);
      expect(cell(i, `${method}_whole_seconds`)).toBe(whole.seconds);
      expect(cell(i, `${method}_whole_distance`)).toBe(whole.distance);
      const row = wholeTable[2 + 4 * i + j];
      expect([row?.[0], row?.[1], row?.[4]]).toEqual([String(width), method, String(whole.passes)]);
    }
    const at = (found: readonly (readonly string[])[], title: string): number =>
      numberIn(found[i + 2]?.[found[0]?.indexOf(title) ?? -1]);
    // Two decimals in the tables.
    assertClose(
      [at(stepTable, 'exact sums ms'), at(searchTable, 'fast s'), at(searchTable, 'exact s')],
      [sums.medianMs, fast.seconds, exact.seconds],
      { rtol: 0, atol: 0.005001 },
    );
  }
});

test('a limit that no matrix fits leaves the exact method out, with the reason everywhere', async () => {
  const out = temporaryFolder();
  // A stem neuron has 9 weights, 324 bytes of matrix; at width 12 a pointwise neuron has 12, 576 bytes.
  const options = { ...TINY, widths: [4, 12], memoryLimit: 400, parts: 0, checkSeconds: 0, out };
  const { points, crossovers, check, parts } = await benchSplitting(options);
  const [narrow, wide] = points;
  expect(narrow?.searches.exact).not.toHaveProperty('leftOut');
  expect(wide?.searches.exact).toEqual({
    leftOut: 'memory: the matrix of one neuron takes 576 B, the limit is 400 B',
  });
  expect(wide?.searches.fast).not.toHaveProperty('leftOut');
  expect(wide?.equalEpochs).toBeNull();
  expect(crossovers.timeByWidth.range).toEqual([4, 4]);
  expect([check, parts]).toEqual([null, null]);
  for (const name of ['splitting.csv', 'splitting.md', 'splitting.html', 'splitting.svg'])
    expect(await readFile(join(out, name), 'utf8'), name).toContain('the matrix of one neuron takes 576 B');
});

test('a smaller limit asks for more sweeps, and holds fewer bytes', async () => {
  const wide = { ...TINY, widths: [64], parts: 0, checkSeconds: 0, batchSize: 2, wholeImages: 0 };
  const [once] = (await benchSplitting(wide)).points;
  // Two layers of 64 neurons of 64 weights, 1 MiB each, and the stem's 20 KiB.
  const [often] = (await benchSplitting({ ...wide, memoryLimit: 500_000 })).points;
  if (!once || !often || isLeftOut(once.searches.exact) || isLeftOut(often.searches.exact))
    throw new Error('exact was left out');
  expect(once.searches.exact.sweeps).toBe(1);
  expect(often.searches.exact.sweeps).toBe(Math.ceil(once.matrixBytes / 500_000));
  expect(once.searches.exact.peakBytes).toBeGreaterThan(once.matrixBytes);
  expect(often.searches.exact.peakBytes).toBeLessThan(once.searches.exact.peakBytes);
});

test('what would take longer than the time limit is left out, and says how long it would', async () => {
  const { points, check } = await benchSplitting({ ...TINY, timeLimit: 1e-6 });
  // The first training step is tried, since nothing is known before it; everything after it is expected.
  expect(points[0]?.steps.trainStep).toMatchObject({ repeats: 1 });
  const late = /^time: one minibatch would take about [\d.]+ s, the limit is 0\.00 s$/;
  for (const search of Object.values(points[0]?.searches ?? {}))
    expect(search).toEqual({ leftOut: expect.stringMatching(late) });
  const { exact, rayleigh, ...modelled } = points[0]?.wholes ?? {};
  for (const search of [exact, rayleigh]) expect(search).toEqual({ leftOut: expect.stringMatching(late) });
  for (const search of Object.values(modelled))
    expect(search).toEqual({
      leftOut: expect.stringMatching(
        /^time: the whole search would take about [\d.]+ s, the limit is 0\.00 s$/,
      ),
    });
  expect(points[1]?.steps.trainStep).toEqual({ leftOut: expect.stringMatching(late) });
  expect(check).toBeNull();
});

test('where auto mixes methods, it is timed as it runs: each layer by its method', async () => {
  // Of `first` lobpcg can keep nothing, and would go through the network in every pass; for neurons of 192 weights it is cheaper.
  const graph = {
    ...{ format: 'splitgrow-network/1', name: 'mixed', input: { shape: [1, 8, 8] }, output: 'out' },
    nodes: [
      { id: 'first', op: 'conv2d', inputs: ['input'], out: 1, kernel: 13, padding: 6 },
      { id: 'first_act', op: 'activation', inputs: ['first'], kind: 'silu' },
      { id: 'more', op: 'conv2d', inputs: ['first_act'], out: 192, kernel: 1 },
      { id: 'more_act', op: 'activation', inputs: ['more'], kind: 'silu' },
      { id: 'wide', op: 'conv2d', inputs: ['more_act'], out: 192, kernel: 1 },
      { id: 'wide_act', op: 'activation', inputs: ['wide'], kind: 'silu' },
      { id: 'pool', op: 'global_avg_pool', inputs: ['wide_act'] },
      { id: 'out', op: 'linear', inputs: ['pool'], out: 4 },
    ],
  };
  const network = temporaryFolder();
  await writeFile(join(network, 'network.json'), JSON.stringify(graph));
  const { preset: _preset, ...tiny } = TINY;
  const asked = { ...tiny, network, widths: [1], images: 300, memoryLimit: 2 ** 30 };
  const { points } = await benchSplitting({ ...asked, parts: 0, checkSeconds: 0 });
  const [point] = points;
  const layers = Object.values(point?.auto.layers ?? {});
  expect(new Set(layers)).toEqual(new Set(['exact', 'lobpcg']));
  const { auto, exact, lobpcg } = point?.wholes ?? {};
  if (!auto || !exact || !lobpcg || isLeftOut(auto) || isLeftOut(exact) || isLeftOut(lobpcg))
    throw new Error('a method was left out');
  // The layer that is exact is so to the last bit, and the other one is as near as lobpcg alone.
  expect(auto.distance).toBeLessThan(0.01);
  expect(auto.passes).toBeGreaterThan(1);
  const best = Math.min(exact.seconds, lobpcg.seconds);
  assertClose([point?.auto.overBest ?? 0], [auto.seconds / best], { rtol: 1e-12, atol: 0 });
  assertClose([point?.auto.foundRatio ?? 0], [exact.seconds / lobpcg.seconds], { rtol: 1e-12, atol: 0 });
});

test('no whole searches are timed where none are asked for, and no page speaks of them', async () => {
  const out = temporaryFolder();
  const options = { ...TINY, widths: [2], wholeImages: 0, parts: 0, checkSeconds: 0, out };
  const { points, files } = await benchSplitting(options);
  expect(points[0]?.wholes).toBeNull();
  expect(points[0]?.auto).toMatchObject({ foundRatio: null, overBest: null });
  expect(files.filter((file) => file.includes('methods'))).toEqual([]);
  expect(await readFile(join(out, 'splitting.md'), 'utf8')).not.toContain('as a whole');
});

test('a whole search that takes longer than the limit is cut short and left out', async () => {
  using network = createNetwork(buildPreset('mobilenet_cifar10', { blocks: 1, classes: 4 }), {
    seed: 0,
    device: 'cpu',
  });
  const step = { medianMs: 1e-9, leastMs: 1e-9, repeats: 1, peakBytes: 0 };
  const steps = {
    ...{ trainStep: step, rayleighStep: step, auxiliaryStep: step },
    ...{ exactStep: step, eigensolver: step },
  };
  const settings = {
    ...{ images: 4096, wholeImages: 2048, epochs: 40, batch: 64, memoryLimit: 2 ** 30, timeLimit: 0.0505 },
    ...{ repeats: 1, seed: 0, device: 'cpu' as const, threads: 1 },
  };
  const kept = keptOf(network, { images: 2048 });
  const choice = weighMethods(network.graph, { ...settings, passes: 12, kept });
  const wholes = await measureWholes(
    network,
    { timed: { steps, sweeps: 1 }, choice },
    { settings, control: {} },
  );
  expect(wholes.rayleigh).toEqual({
    leftOut: 'time: the whole search took longer, the limit is 0.05 s',
  });
});

test('an aborted run keeps the widths that it has, and says where', async () => {
  const out = temporaryFolder();
  const controller = new AbortController();
  const running = benchSplitting(
    { ...TINY, out },
    {
      signal: controller.signal,
      onEvent: ({ type }) => {
        if (type === 'note') controller.abort();
      },
    },
  );
  await expect(running).rejects.toMatchObject({
    code: 'E_ABORTED',
    message: `the work was aborted; 1 of 3 widths are in ${out}`,
  });
  const { isComplete, points } = await readDocument(out);
  expect([isComplete, points.length]).toEqual([false, 1]);
  expect(await readFile(join(out, 'splitting.md'), 'utf8')).toContain('**Incomplete**');
});

test('widths of a network directory are multiples of its own', async () => {
  const { writeNetwork } = await import('../api/batch-files.js');
  const network = await writeNetwork(temporaryFolder());
  const { preset: _preset, resolution: _resolution, ...rest } = TINY;
  const { points } = await benchSplitting({ ...rest, network, widths: [1, 2], parts: 0, checkSeconds: 0 });
  expect(points[1]?.neurons).toBe(2 * (points[0]?.neurons ?? 0));
});

test('wrong options, and a folder that cannot be written to, are refused before anything runs', async () => {
  const file = join(temporaryFolder(), 'file');
  await writeFile(file, '');
  const wrong: readonly [SplittingBenchOptions, string][] = [
    [{ images: 0 }, 'E_ARGUMENT'],
    [{ epochs: 1.5 }, 'E_ARGUMENT'],
    [{ timeLimit: 0 }, 'E_ARGUMENT'],
    [{ checkSeconds: -1 }, 'E_ARGUMENT'],
    [{ parts: -1 }, 'E_ARGUMENT'],
    [{ wholeImages: -1 }, 'E_ARGUMENT'],
    [{ widths: [] }, 'E_ARGUMENT'],
    [{ widths: [2, 2.5] }, 'E_PRESET'],
    [{ preset: { blocs: 2 } }, 'E_PRESET'],
    [{ network: join(file, 'none'), preset: undefined }, 'E_FILE'],
    [{ out: join(file, 'out') }, 'E_WRITE'],
  ];
  for (const [options, code] of wrong) {
    const events: string[] = [];
    const onEvent = ({ type }: { readonly type: string }): void => void events.push(type);
    await expect(benchSplitting({ ...TINY, ...options }, { onEvent }), code).rejects.toMatchObject({ code });
    expect(events).toEqual([]);
  }
});
