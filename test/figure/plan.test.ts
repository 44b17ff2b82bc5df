import { describe, expect, test } from 'vitest';
import { datasetRoot } from '../../lib/figure/files.js';
import { type FigurePlan, type PlanOptions, planFigure, shareOut } from '../../lib/figure/plan.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { tinyExperiment } from '../run/tiny.js';
import { figureOf } from './made-up.js';

type Figure = Parameters<typeof figureOf>;

function plan(figure: Figure = [], options: Partial<PlanOptions> = {}): FigurePlan {
  return planFigure(figureOf(...figure), { scale: 'smoke', out: 'out', cores: 2, ...options });
}

/** Runs of curves, those of seed networks left out. */
const grown = ({ runs }: FigurePlan) => runs.filter(({ uses }) => uses.length > 0);
const keys = (one: FigurePlan) => grown(one).map(({ key }) => key);

test('every curve runs once a seed, behind one run of the seed network that both share', () => {
  const { runs, seeds } = plan([], { seeds: 2 });
  expect(seeds).toEqual([0, 1]);
  expect(runs.map(({ label }) => label)).toEqual([
    'seed network of tiny, seed 0',
    'aware, seed 0',
    'random, seed 0',
    'seed network of tiny, seed 1',
    'aware, seed 1',
    'random, seed 1',
  ]);
  const [first, aware, random, second, later] = runs;
  expect([aware?.after, random?.after, later?.after]).toEqual([first?.key, first?.key, second?.key]);
  expect(first?.spec).toMatchObject({ seed: 0, stop: { stages: 0 }, compare: [], fit: { epochs: 2 } });
  expect(aware?.spec).toMatchObject({ seed: 0, stop: { stages: 1 }, output: `out/smoke/runs/${aware?.key}` });
  expect(random?.spec.splitting.strategy).toBe('random');
});

test('overrides apply in the order figure, scale, curve, command line', () => {
  const curves = [{ label: 'a', experiment: 'tiny.json', set: ['fit.batch=2', 'fit.epochs=2'] }];
  const scales = { smoke: { note: 'n', seeds: 1, set: ['fit.batch=1', 'fit.epochs=1', 'stop.stages=3'] } };
  const figure = { set: ['stop.stages=2', 'splitting.epsilon=0.3'], curves, scales };
  const [run] = grown(plan([figure], { set: ['fit.epochs=4'] }));
  expect(run?.spec).toMatchObject({ fit: { batch: 2, epochs: 4 }, stop: { stages: 3 } });
  expect(run?.spec.splitting.epsilon).toBe(0.3);
  expect(plan([], { set: ['fit.epochs=4', 'seed=1'] }).note).toBe(
    'tiny; changed by hand: fit.epochs=4, seed=1',
  );
  expect(plan().note).toBe('tiny');
});

describe('runs are named by content', () => {
  const base = keys(plan());
  test.each<[string, string, Figure]>([
    ['name and output', 'same', [{}, { name: 'other', output: 'elsewhere' }]],
    ['rivals', 'same', [{}, { compare: ['width-multiplier'] }]],
    ['threads', 'same', [{}, { threads: 2 }]],
    ['device', 'other', [{}, { device: 'cuda' }]],
    ['a field of the network', 'other', [{}, { network: { preset: 'mobilenet_cifar10', blocks: 3 } }]],
    ['a field of the splitting', 'other', [{}, { splitting: { epsilon: 0.3 } }]],
  ])('another %s: the %s folder', (_what, relation, figure) => {
    expect(keys(plan(figure))[0] === base[0]).toBe(relation === 'same');
  });

  test('the place of the data does not matter, but the shipped part of Fashion-MNIST is not the whole', () => {
    const key = (data: Record<string, unknown>) => keys(plan([{}, { data }]))[0];
    const cifar = { name: 'cifar10' };
    expect(key({ ...cifar, root: 'a' })).toBe(key({ ...cifar, root: 'b' }));
    const fashion = { name: 'fashion-mnist' };
    expect(key({ ...fashion, root: 'a' })).toBe(key({ ...fashion, root: 'b' }));
    expect(key({ ...fashion, root: 'a' })).not.toBe(key(fashion));
    expect(key({ ...fashion, root: 'a', whole: true })).toBe(key({ ...fashion, whole: true }));
  });

  test('a seed network is shared across splittings, stages and later epochs, not across recipes', () => {
    const seed = (experiment: Record<string, unknown>, set: readonly string[] = []) =>
      plan([{}, experiment], { set }).runs[0]?.key;
    const own = seed({});
    expect(seed({ splitting: { growthRatio: 0.9 }, name: 'other' }, ['stop.stages=7'])).toBe(own);
    expect(seed({}, ['fit.epochs=[2,9]'])).toBe(own);
    expect(seed({}, ['fit.epochs=3'])).not.toBe(own);
    expect(seed({}, ['seed=5'])).toBe(own);
    expect(seed({}, ['data.trainImages=64'])).not.toBe(own);
  });
});

test('two curves of one experiment share its run and ask for the rivals of both', () => {
  const curves = [
    { label: 'a', experiment: 'tiny.json', set: ['compare=["width-multiplier"]'] },
    { label: 'b', panel: 'p', experiment: 'tiny.json' },
  ];
  const [run, ...others] = grown(plan([{ curves }]));
  expect(others).toEqual([]);
  expect(run?.uses.map(({ label, asked }) => [label, asked.map(({ method }) => method)])).toEqual([
    ['a', ['width-multiplier']],
    ['b', []],
  ]);
  expect(run?.spec.compare).toHaveLength(1);
});

test('a scale runs the curves and panels that it leaves in', () => {
  const curves = ['x', 'y'].flatMap((panel) =>
    ['a', 'b'].map((label) => ({ label, panel, experiment: 'tiny.json', set: [`name=${panel}${label}`] })),
  );
  const left = (names: readonly string[]) => {
    const scales = { smoke: { note: 'n', seeds: 1, curves: names } };
    return grown(plan([{ curves, scales }])).flatMap(({ uses }) => uses.map((use) => use.panel + use.label));
  };
  expect(left(['x'])).toEqual(['xa', 'xb']);
  expect(left(['b'])).toEqual(['xb', 'yb']);
});

test('a wrong field is refused with figure, curve and file', () => {
  expect(() => plan([], { set: ['fit.epcohs=1'] })).toThrow(
    /^mini, curve "aware" \(tiny\.json\): fit\.epcohs: unknown field; did you mean "epochs"\?/,
  );
});

describe('cores are shared out', () => {
  const specs = (threads: number | null, device = 'cpu') => [
    parseExperiment({ ...tinyExperiment('/x'), threads, device }),
  ];
  test.each([
    ['runs of one thread fill the cores', 1, {}, 8, { jobs: 8, threads: 1 }],
    ['runs of three threads leave the rest', 3, {}, 8, { jobs: 2, threads: 3 }],
    ['threads left open are one where several run', null, {}, 8, { jobs: 8, threads: 1 }],
    ['threads left open stay open for one run alone', null, { jobs: 1 }, 8, { jobs: 1, threads: null }],
    ['--threads goes before the experiment', 1, { threads: 4 }, 8, { jobs: 2, threads: 4 }],
    ['more threads than cores still run', 4, {}, 2, { jobs: 1, threads: 4 }],
  ] as const)('%s', (_claim, threads, given, cores, expected) => {
    expect(shareOut(specs(threads), { ...given, cores })).toEqual(expected);
  });
  test('a GPU is not shared unless asked', () => {
    expect(shareOut(specs(1, 'cuda'), { cores: 8 }).jobs).toBe(1);
    expect(shareOut(specs(1, 'cuda'), { cores: 8, jobs: 2 }).jobs).toBe(2);
  });
});

test('a data root holds a folder a dataset; Fashion-MNIST without one stays the shipped part', () => {
  expect(datasetRoot(undefined, 'cifar10')).toBeUndefined();
  expect(datasetRoot('/nowhere', 'cifar10')).toBe('/nowhere/cifar10');
  expect(datasetRoot('/nowhere', 'fashion-mnist')).toBeUndefined();
  const [run] = grown(plan([{}, { data: { name: 'cifar10' } }], { rootOf: (name) => `/data/${name}` }));
  expect(run?.spec.data).toMatchObject({ root: '/data/cifar10' });
});
