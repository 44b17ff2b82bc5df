// Figures of splitting: widths per layer, splitting indices of a stage.

import type { RunRecord } from '../../run/store/read.js';
import type { Histogram, PickRecord, StageRecord, StageSummary } from '../../run/store/records.js';
import { significant } from '../../statistics/format.js';
import { type Figure, frame } from '../page/figure.js';
import { INK, SERIES, SURFACE } from '../page/svg.js';

/** A network of some stage, by the widths of its layers. */
export type StageWidths = Pick<StageSummary, 'stage' | 'widths'>;

/** Width of every layer, stage by stage. */
export function widthsFigure({ summary }: RunRecord): Figure {
  return widthsPicture(summary.stages, { id: 'widths', title: 'Widths of the layers' });
}

/** Width of every layer of `stages` as a picture. */
export function widthsPicture(
  stages: readonly StageWidths[],
  { id, title }: Pick<Figure, 'id' | 'title'>,
): Figure {
  const values = stages.flatMap(({ stage, widths }) =>
    Object.entries(widths).map(([layer, width], order) => ({
      stage,
      layer,
      order,
      width,
      said: `${layer} at stage ${stage}: ${width} neurons`,
    })),
  );
  const highest = Math.max(1, ...values.map((row) => row.width));
  const layers = new Set(values.map((row) => row.layer)).size;
  const y = {
    field: 'layer',
    type: 'nominal',
    sort: { field: 'order', op: 'min' },
    axis: { title: null, domain: false, ticks: false, labelLimit: 140, labelColor: INK },
  };
  const x = {
    field: 'stage',
    type: 'ordinal',
    axis: { title: 'stage', orient: 'top', labelAngle: 0, domain: false, ticks: false },
  };
  return {
    id,
    title,
    caption: 'Neurons of each layer as the network grows: the stronger the colour, the wider.',
    spec: frame(
      {
        data: { values },
        encoding: { x, y },
        layer: [
          {
            mark: { type: 'rect', fill: SERIES[0], stroke: SURFACE, strokeWidth: 2 },
            encoding: {
              fillOpacity: {
                field: 'width',
                type: 'quantitative',
                scale: { domain: [0, highest], range: [0.06, 0.85] },
                legend: null,
              },
              description: { field: 'said' },
            },
          },
          {
            mark: { type: 'text', fontSize: 12 },
            encoding: {
              text: { field: 'width', type: 'quantitative' },
              color: {
                condition: { test: `datum.width > ${0.62 * highest}`, value: 'var(--on-accent, #ffffff)' },
                value: INK,
              },
            },
          },
        ],
      },
      50 + 26 * layers,
    ),
  };
}

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
