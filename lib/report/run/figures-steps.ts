// The figure of the search along the splitting directions.

import type { RunRecord } from '../../run/store/read.js';
import { decimal, significant } from '../../statistics/format.js';
import { type Figure, frame } from '../page/figure.js';
import { INK, SERIES, SURFACE } from '../page/svg.js';

/** Of the deepest decrease: a loss that rises higher than this is cut off, or the decrease could not be seen. */
const HEADROOM = 2;

/** Loss along the splitting directions, stage by stage, where a line search tried several steps. */
export function stepFigure({ stages }: RunRecord): Figure | null {
  const steps = stages.flatMap(({ stage, split }) =>
    split === null || split.step.tried.length < 2 ? [] : [{ stage, ...split.step }],
  );
  if (steps.length === 0) return null;
  const values = steps.flatMap(({ stage, tried, lossBefore, epsilon: taken }) =>
    tried
      .filter(({ epsilon }) => epsilon > 0)
      .map(({ epsilon, loss }) => ({
        series: `stage ${stage}`,
        order: stage,
        epsilon,
        change: loss - lossBefore,
        isTaken: epsilon === taken,
        said: `stage ${stage}, epsilon ${significant(epsilon)}: loss ${decimal(loss, 5)}${epsilon === taken ? ', taken' : ''}`,
      })),
  );
  const lowest = Math.min(...values.map((row) => row.change), 0);
  const depth = lowest < 0 ? -lowest : Math.min(...values.map((row) => row.change));
  const names = [...new Set(values.map((row) => row.series))];
  const x = {
    field: 'epsilon',
    type: 'quantitative',
    scale: { type: 'log', nice: false, padding: 12 },
    axis: {
      title: 'epsilon, logarithmic',
      format: '~g',
      tickCount: 6,
      labelOverlap: 'greedy',
      labelSeparation: 8,
      grid: false,
    },
  };
  const y = {
    field: 'change',
    type: 'quantitative',
    scale: { domain: [-1.15 * depth, HEADROOM * depth], nice: false },
    axis: { title: 'change of the loss', format: '~g', tickCount: 6 },
  };
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: names, range: [...SERIES] },
    legend: { title: null, orient: 'top', columns: 4 },
  };
  return {
    id: 'steps',
    title: 'Step along the splitting directions',
    caption:
      'Change of the loss on training images right after splitting, for every epsilon tried; the large point is the one taken. Steps that raise the loss far are cut off.',
    spec: frame({
      data: { values },
      encoding: { x, y, color },
      layer: [
        {
          mark: { type: 'rule', stroke: INK, opacity: 0.5 },
          data: { values: [{ zero: 0 }] },
          encoding: { y: { field: 'zero', type: 'quantitative' }, x: null, color: null },
        },
        { mark: { type: 'line', strokeWidth: 1.5, clip: true } },
        {
          transform: [{ filter: '!datum.isTaken' }],
          mark: { type: 'point', filled: true, size: 26, opacity: 1, clip: true },
          encoding: { description: { field: 'said' } },
        },
        {
          transform: [{ filter: 'datum.isTaken' }],
          mark: { type: 'point', filled: true, size: 110, opacity: 1, stroke: SURFACE, strokeWidth: 1.5 },
          encoding: { description: { field: 'said' } },
        },
      ],
    }),
  };
}
