// Figures of splitting: the indices of a stage, and the search along the splitting directions.
import type { RecordedRun } from '../../run/store/read.js';
import type { Histogram, PickRecord, StageRecord } from '../../run/store/records.js';
import { decimal, significant } from '../../statistics/format.js';
import { type Figure, frame } from '../page/figure.js';
import { INK, SERIES, SURFACE } from '../page/svg.js';

interface Bin {
  readonly low: number;
  readonly high: number;
  readonly from: number;
  readonly to: number;
  readonly kind: string;
  readonly said: string;
}

/** Bars of the histogram, the chosen neurons of each bin at the bottom. */
export function bins({ edges, counts }: Histogram, picks: readonly PickRecord[]): readonly Bin[] {
  return counts.flatMap((count, at) => {
    const low = edges[at] ?? 0;
    const high = edges[at + 1] ?? low;
    const isLast = at === counts.length - 1;
    const chosen = Math.min(
      count,
      picks.filter(({ index }) => index >= low && (index < high || (isLast && index <= high))).length,
    );
    const said = `${significant(low)} to ${significant(high)}: ${count} neurons, ${chosen} of them split`;
    return [
      ...(chosen > 0 ? [{ low, high, from: 0, to: chosen, kind: 'split', said }] : []),
      ...(count > chosen ? [{ low, high, from: chosen, to: count, kind: 'kept', said }] : []),
    ];
  });
}

/** Splitting indices of one stage, the chosen neurons marked. */
export function indicesFigure({ stage, split }: StageRecord): Figure | null {
  if (split === null || split.histogram.counts.length === 0) return null;
  const values = bins(split.histogram, split.picks);
  const first = split.histogram.edges[0] ?? 0;
  const last = split.histogram.edges.at(-1) ?? 0;
  return {
    id: `indices-${stage}`,
    title: `Splitting indices, stage ${stage}`,
    caption: `${split.certificate.neurons} neurons, ${split.certificate.eligible} with a negative index, ${split.picks.length} split.`,
    spec: frame(
      {
        layer: [
          {
            data: { values },
            mark: { type: 'rect', stroke: SURFACE, strokeWidth: 1 },
            encoding: {
              x: {
                field: 'low',
                type: 'quantitative',
                scale: { nice: false, zero: false },
                axis: {
                  title: 'splitting index',
                  format: '~g',
                  grid: false,
                  tickCount: 5,
                  labelOverlap: true,
                },
              },
              x2: { field: 'high' },
              y: {
                field: 'from',
                type: 'quantitative',
                axis: { title: 'neurons', tickMinStep: 1, tickCount: 4 },
              },
              y2: { field: 'to' },
              color: {
                field: 'kind',
                type: 'nominal',
                scale: { domain: ['split', 'kept'], range: [SERIES[1], SERIES[4]] },
                legend: { title: null, orient: 'top' },
              },
              description: { field: 'said' },
            },
          },
          ...(first < 0 && last > 0
            ? [
                {
                  data: { values: [{ zero: 0 }] },
                  mark: { type: 'rule', stroke: INK, strokeWidth: 1, opacity: 0.6 },
                  encoding: { x: { field: 'zero', type: 'quantitative' } },
                },
              ]
            : []),
        ],
      },
      200,
    ),
  };
}

/** How far the axis goes above 0, in times the deepest decrease. A loss that rises higher is cut off, so that the decrease can be seen. */
const HEADROOM = 2;

/** Loss along the splitting directions, stage by stage, where a line search tried several steps. */
export function stepFigure({ stages }: RecordedRun): Figure | null {
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
