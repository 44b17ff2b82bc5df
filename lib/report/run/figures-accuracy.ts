// The figure of accuracy against MACs, the rivals beside the grown networks.

import type { RunRecord } from '../../run/store/read.js';
import { decimal, integer } from '../../statistics/format.js';
import { type Figure, frame, points } from '../page/figure.js';
import { curveColour } from '../page/palette.js';
import { MUTED } from '../page/svg.js';
import { rivalNameAt } from './rival-name.js';

const [ABOVE, BELOW] = [-13, 18] as const;
/** Points nearer than this factor in MACs may hide one another's names. */
const NEAR = 1.2;

interface Point {
  readonly macs: number;
  readonly top1: number;
}

/** Where a point's name goes: away from a point of another series that is near. */
function nameSide(point: Point, others: readonly Point[]): number {
  const isNear = ({ macs }: Point): boolean => Math.max(macs / point.macs, point.macs / macs) < NEAR;
  return others.some((other) => isNear(other) && other.top1 > point.top1) ? BELOW : ABOVE;
}

/** Top-1 against MACs on a logarithmic axis, the rivals beside the grown networks. */
export function accuracyFigure({ summary, compare }: RunRecord): Figure {
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
