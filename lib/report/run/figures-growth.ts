// Figures of growth: accuracy against MACs, widths of the layers stage by stage, gradients of newborn channels.
import type { RecordedRun } from '../../run/store/read.js';
import type { StageSummary } from '../../run/store/records.js';
import { decimal, integer, significant } from '../../statistics/format.js';
import { type Figure, frame, points } from '../page/figure.js';
import { curveColour } from '../page/palette.js';
import { INK, MUTED, SERIES, SURFACE } from '../page/svg.js';
import { rivalNameAt } from './tables.js';

const [ABOVE, BELOW] = [-13, 18] as const;
/** The names of points that differ by less than this factor in MACs may overlap. */
const NEAR = 1.2;

interface Point {
  readonly macs: number;
  readonly top1: number;
}

/** Where a point's name is written: on the side without a near point of another series. */
function nameSide(point: Point, others: readonly Point[]): number {
  const isNear = ({ macs }: Point): boolean => Math.max(macs / point.macs, point.macs / macs) < NEAR;
  return others.some((other) => isNear(other) && other.top1 > point.top1) ? BELOW : ABOVE;
}

/** Top-1 against MACs on a logarithmic axis, the rivals beside the grown networks. */
export function accuracyFigure({ summary, compare }: RecordedRun): Figure {
  const grown = summary.stages.map(({ stage, macs, top1 }) => ({
    macs,
    top1,
    name: String(stage),
    series: 'grown',
    dy: nameSide({ macs, top1 }, compare?.rivals ?? []),
    said: `stage ${stage}: ${integer(macs)} MACs, top-1 ${decimal(top1, 2)} %`,
  }));
  const rivals = (compare?.rivals ?? []).map(({ macs, top1, ...rival }) => ({
    macs,
    top1,
    name: rival.multiplier === null ? '' : `${decimal(rival.multiplier, 2)}x`,
    series: rival.label,
    dy: nameSide({ macs, top1 }, summary.stages),
    said: `${rivalNameAt(rival)}: ${integer(macs)} MACs, top-1 ${decimal(top1, 2)} %`,
  }));
  const series = [...new Set([...grown, ...rivals].map((row) => row.series))];
  const x = {
    field: 'macs',
    type: 'quantitative',
    scale: { type: 'log', nice: false, padding: 28 },
    axis: {
      title: 'MACs, logarithmic',
      format: '~s',
      tickCount: 6,
      labelOverlap: 'greedy',
      labelSeparation: 8,
    },
  };
  const y = {
    field: 'top1',
    type: 'quantitative',
    scale: { zero: false, padding: 22 },
    axis: { title: 'top-1 on the test images, %', tickCount: 6 },
  };
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: series, range: series.map((_, at) => curveColour(at)) },
    legend: series.length > 1 ? { title: null, orient: 'top', columns: 3 } : null,
  };
  return {
    id: 'accuracy',
    title: 'Accuracy against cost',
    caption: 'Each point is a network; its number is the stage. MACs are counted, never estimated.',
    spec: frame({
      data: { values: [...grown, ...rivals] },
      encoding: { x, y, color },
      layer: [
        { mark: { type: 'line', strokeWidth: 2 } },
        { transform: [{ filter: { field: 'series', equal: 'grown' } }], ...points('circle', 80) },
        { transform: [{ filter: { not: { field: 'series', equal: 'grown' } } }], ...points('diamond', 110) },
        {
          mark: { type: 'text', dy: { expr: 'datum.dy' } },
          encoding: { text: { field: 'name' }, color: { value: MUTED } },
        },
      ],
    }),
  };
}

/** Gradients of newborn channels over those of old ones, from growth on, a line a stage; null where no run recorded them. */
export function gradientsFigure({ stages }: RecordedRun): Figure | null {
  const values = stages.flatMap(({ stage, epochs, split }) => [
    ...[split?.step.gradients].map((found) => ({ stage: stage + 1, epoch: 0, ratio: found?.ratio })),
    ...epochs.map(({ epoch, gradients }) => ({ stage, epoch: epoch + 1, ratio: gradients?.ratio })),
  ]);
  const rows = values.flatMap(({ stage, epoch, ratio }) => {
    const said = `stage ${stage}, ${epoch} epochs after growth: newborn channels have ${significant(ratio)} of old ones' gradient`;
    return typeof ratio === 'number' && ratio > 0 ? [{ stage: `stage ${stage}`, epoch, ratio, said }] : [];
  });
  if (rows.length === 0) return null;
  const series = [...new Set(rows.map(({ stage }) => stage))];
  const color = {
    field: 'stage',
    type: 'nominal',
    scale: { domain: series, range: series.map((_, at) => curveColour(at)) },
    legend: series.length > 1 ? { title: null, orient: 'top', columns: 6 } : null,
  };
  return {
    id: 'gradients',
    title: 'Gradients of newborn channels',
    caption:
      'Root mean square of the gradient norms of channels made by the last split, over that of old channels: geometric mean of the layers, on training images.',
    spec: frame({
      data: { values: rows },
      encoding: {
        x: {
          field: 'epoch',
          type: 'quantitative',
          axis: { title: 'epochs after growth', tickMinStep: 1, tickCount: 8 },
        },
        y: {
          field: 'ratio',
          type: 'quantitative',
          scale: { zero: false },
          axis: { title: 'newborn / old', tickCount: 6 },
        },
        color,
      },
      layer: [{ mark: { type: 'line', strokeWidth: 2 } }, points('circle', 40)],
    }),
  };
}

/** A network of some stage, by the widths of its layers. */
export type StageWidths = Pick<StageSummary, 'stage' | 'widths'>;

/** Width of every layer, stage by stage. */
export function widthsFigure({ summary }: RecordedRun): Figure {
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
