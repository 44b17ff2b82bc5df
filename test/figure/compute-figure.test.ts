// The figure "compute": the runs of a curve spend the same total, as their specs alone tell.
import { expect, test } from 'vitest';
import { readFigure } from '../../lib/figure/files.js';
import { planFigure } from '../../lib/figure/plan.js';
import { seedGraph, stageLimits } from '../../lib/figure/rows.js';
import { macs } from '../../lib/graph/cost.js';
import { lower } from '../../lib/graph/lower.js';
import { atMostMacs } from '../../lib/rivals/networks/width-multiplier.js';
import { epochsOf, finishOf } from '../../lib/run/spec/epochs.js';
import type { Spec } from '../../lib/run/spec/spec.js';

/** CIFAR-10's map of 32 pixels a side is halved three times over three blocks, then once more: the strides of the preset. */
const SIDES: Readonly<Record<string, number>> = { stem: 32, b1_pw: 16, b2_pw: 8, b3_pw: 4, b4_pw: 4 };
/** A tenth of the training images is for validation. */
const IMAGES = { cpu: 9_000, paper: 45_000 } as const;

/** Of what the delivered best may spend at each size, per cent for growth; the rest trains its architecture again. */
const SHARES = { cpu: [13, 20, 32], paper: [9, 14, 22] } as const;

/** Multiply-adds of a run whose networks have the most MACs that they may have; their widths are multiples of the seed's. */
async function expectedOf(spec: Spec, images: number): Promise<number> {
  const seed = await seedGraph(spec);
  const limits = stageLimits(spec, macs(seed));
  const last = limits.length - 1;
  return limits.reduce((sum, limit, stage) => {
    const epochs = epochsOf(spec.fit, stage) + finishOf(spec.fit, stage, stage === last).epochs;
    const fit = 3 * limit * images * epochs;
    if (stage === last) return sum + fit;
    const indexed = spec.splitting.images ?? images;
    const probe = spec.splitting.lineSearch.images;
    const matrices = lower(atMostMacs(seed, limit).graph).chains.reduce(
      (all, { id, neurons, dimension: d }) => all + ((SIDES[id] ?? 32) ** 2 * neurons * d * (d + 1)) / 2,
      0,
    );
    // Two forward passes before growth and two after it: logits, loss; logits at step 0, loss at the step.
    const step = probe * (2 * limit + 2 * (limits[stage + 1] ?? 0));
    return sum + fit + indexed * (3 * limit + matrices) + step;
  }, 0);
}

test.each(['cpu', 'paper'] as const)(
  'at %s scale every run of a curve spends the same total within 3 %%',
  async (scale) => {
    const figure = await readFigure('compute');
    const { runs } = planFigure(figure, { scale, out: 'o', cores: 2, seeds: 1 });
    const grown = runs.filter(({ uses }) => uses.length > 0);
    expect(grown).toHaveLength(15);
    const totals: number[] = [];
    for (const { spec } of grown.filter((run) => run.spec.deliver.which === 'grown'))
      totals.push(await expectedOf(spec, IMAGES[scale]));
    const [least, most] = [Math.min(...totals), Math.max(...totals)];
    expect(most / least).toBeLessThan(1.03);
    const shares: number[] = [];
    // What hands over the better network trains its architecture for what its growth left, in whole epochs: one more is too many.
    for (const { spec } of grown.filter((run) => run.spec.deliver.which === 'best')) {
      const grows = await expectedOf(spec, IMAGES[scale]);
      const limit = stageLimits(spec, macs(await seedGraph(spec))).at(-1) ?? 0;
      const epoch = 3 * limit * IMAGES[scale];
      const left = (spec.deliver.compute ?? 0) - grows;
      const spent = grows + Math.floor(left / epoch) * epoch;
      shares.push(Math.round((100 * grows) / (spec.deliver.compute ?? 0)));
      expect(spent).toBeLessThan(1.03 * least);
      expect(spent + epoch).toBeGreaterThan(most / 1.03);
    }
    expect(shares).toEqual(SHARES[scale]);
    const [small, middle, large] = SHARES[scale];
    expect(figure.spec.scales[scale]?.note).toContain(
      `growth takes ${small}, ${middle} and ${large} % of it`,
    );
  },
);

test('each is a point of its curve, at the stage that its rivals are held against', async () => {
  const figure = await readFigure('compute');
  const { runs } = planFigure(figure, { scale: 'cpu', out: 'o', cores: 2, seeds: 1 });
  for (const { spec, uses } of runs.filter((run) => run.uses.length > 0)) {
    const network = spec.deliver.which === 'best' ? 'best' : 'last';
    expect(uses).toMatchObject([{ network, stage: spec.stop.stages }]);
    for (const { at, equal } of spec.compare) expect([at, equal]).toEqual(['last', 'compute']);
  }
});
