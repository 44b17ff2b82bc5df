import { expect, test } from 'vitest';
import { planReproduction } from '../../lib/api/reproduce.js';
import { EXPERIMENTS, figureIds, readFigure } from '../../lib/figure/files.js';
import { planFigure } from '../../lib/figure/plan.js';
import { planRows, scheduleText, seedGraph, stageLimits } from '../../lib/figure/rows.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { tinyExperiment } from '../run/tiny.js';
import { figureOf } from './made-up.js';

const spec = (set: readonly string[] = []) => parseExperiment(tinyExperiment('/x'), set);

// MACs of the published networks at 224, as torchvision's have them.
test.each([
  ['table1', 'MobileNetV1', [149_497_088, 325_400_448, 568_740_352], 59_213_644],
  ['table2', 'MobileNetV2', [97_131_840, 209_069_792, 300_774_272], 39_113_557],
])(
  '%s plans %s and its seed at their known MACs, each beside the number of the paper',
  async (id, name, known, seed) => {
    const { rows, of } = await planReproduction({ id });
    expect(of).toBe('paper');
    const widths = rows.filter(({ label }) => label === name);
    expect(widths.map(({ macs }) => macs)).toEqual(known);
    for (const { macs, paper, isLimit, epochs } of widths) {
      expect(isLimit).toBe(false);
      expect(epochs).toBe(120);
      // The paper prints thousandths of a G; its 0.75x of V1 is 2.6 % below the network's own MACs.
      expect(Math.abs((paper?.macs ?? 0) - macs) / macs).toBeLessThan(0.03);
    }
    const grown = rows.filter(({ label }) => label === 'Splitting');
    expect(grown[0]).toMatchObject({ kind: 'seed', macs: seed, isLimit: false });
    expect(grown.slice(1).every(({ isLimit, kind }) => isLimit && kind === 'stage')).toBe(true);
    expect(rows.at(-1)).toMatchObject({ kind: 'reported', label: 'AMC', params: null });
  },
);

test('a stage may have (1 + growth ratio) times the MACs before, floored, and never more than stop.macs', () => {
  expect(stageLimits(spec(['stop.stages=3']), 101)).toEqual([101, 151, 226, 339]);
  expect(stageLimits(spec(['stop={"macs":200}']), 101)).toEqual([101, 151, 200]);
  expect(stageLimits(spec(['stop.stages=0']), 101)).toEqual([101]);
  // Each stage by its own ratio, the last one's for all that follow: 202, 222.2, 244.2.
  expect(stageLimits(spec(['stop.stages=3', 'splitting.growthRatio=[1,0.1]']), 101)).toEqual([
    101, 202, 222, 244,
  ]);
});

test('the shape of the network follows from the name of the data, and is asked for where that does not tell', async () => {
  const shapeOf = async (data: Record<string, unknown>) => {
    const graph = await seedGraph(parseExperiment({ ...tinyExperiment('/x'), data }));
    return [...graph.input.shape, graph.nodes.at(-1)?.out];
  };
  expect(await shapeOf({ name: 'imagenet' })).toEqual([3, 224, 224, 1000]);
  expect(await shapeOf({ name: 'cifar100', labels: 'coarse' })).toEqual([3, 32, 32, 20]);
  expect(await shapeOf({ name: 'fashion-mnist' })).toEqual([1, 28, 28, 10]);
  await expect(seedGraph(spec())).rejects.toMatchObject({
    code: 'E_EXPERIMENT',
    message: expect.stringContaining('channels, resolution, classes'),
  });
});

test('a schedule is told in words', () => {
  expect(scheduleText(spec())).toBe('batch 16, rate 0.1, cosine over 2 epochs a stage');
  expect(
    scheduleText(spec(['fit={"epochs":[9,4],"schedule":{"kind":"steps","at":[2,3],"factor":0.5}}'])),
  ).toBe('batch 256, rate 0.1, x 0.5 at 2 and 3 of 9/4 epochs a stage');
  const constant = { kind: 'constant' };
  const told = (fit: object): string => scheduleText(spec([`fit=${JSON.stringify(fit)}`]));
  expect(told({ epochs: 3, schedule: constant, finish: { epochs: 6 } })).toBe(
    'batch 256, rate 0.1, constant for 3 epochs a stage, each stage finished in 6 epochs to 0',
  );
  expect(told({ epochs: 3, schedule: constant, finish: { epochs: 19, decay: 6, stages: 'last' } })).toBe(
    'batch 256, rate 0.1, constant for 3 epochs a stage, the last stage finished in 19 epochs, to 0 in the last 6',
  );
  expect(told({ epochs: [1, 20], schedule: [constant, { kind: 'wsd', decay: 6 }] })).toBe(
    'batch 256, rate 0.1, constant for 1 / constant, then to 0 in the last 6 of 20 epochs a stage',
  );
});

test('rivals stand in the plan at the MACs of the stages they are held against', async () => {
  const figure = figureOf({}, { data: { name: 'cifar10' }, compare: ['width-multiplier'] });
  const { runs } = planFigure(figure, { scale: 'smoke', out: 'o', cores: 1 });
  const rows = (await planRows(figure.spec, runs)).filter(({ label }) => label !== 'random');
  const [seed, stage, rival] = rows;
  expect(stage?.macs).toBe(Math.floor(1.5 * (seed?.macs ?? 0)));
  expect(rival).toMatchObject({
    kind: 'rival',
    label: 'width-multiplier',
    stage: 1,
    isLimit: false,
    // At equal compute they follow from what the run spends.
    epochs: null,
  });
  expect(rival?.macs).toBeLessThanOrEqual(stage?.macs ?? 0);
});

test('every figure that ships reads', async () => {
  for (const id of await figureIds(EXPERIMENTS)) {
    const { spec: figure } = await readFigure(id);
    expect(Object.keys(figure.scales), id).toEqual(['smoke', 'cpu', 'paper']);
  }
});
