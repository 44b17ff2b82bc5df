// Plots of splitting: its seconds, and how far other methods agree with the one that chose.

import type { StageRecord } from '../../run/store/records.js';
import { decimal, integer } from '../../statistics/format.js';
import { spread } from '../../statistics/spread.js';
import { frame } from '../page/figure.js';
import {
  bar,
  errorBars,
  grouped,
  heightWith,
  lines,
  looks,
  marks,
  seedMarks,
  spreadText,
} from '../page/series.js';
import { type Drawing, type FigureData, seriesOf, splitRuns } from './data.js';

const PLOT_HEIGHT = 250;

function splitSeconds({ seconds }: StageRecord): number {
  return seconds.indices + seconds.select + seconds.grow;
}

/** Seconds of splitting a stage (indices, choice, growth) against the neurons that were split. */
export function splitSecondsPlot(data: FigureData, panel: string): Drawing | null {
  const single = splitRuns(data, panel).flatMap(({ label, seed, stages }) =>
    stages.map((stage) => ({
      ...{
        series: label,
        stage: stage.stage,
        neurons: stage.split.picks.length,
        seconds: splitSeconds(stage),
      },
      said: `${label}, stage ${stage.stage}, seed ${seed}: ${stage.split.picks.length} neurons in ${decimal(splitSeconds(stage), 2)} s`,
    })),
  );
  if (single.length === 0) return null;
  const values = grouped(single, ({ series, stage }) => JSON.stringify([series, stage])).flatMap((rows) => {
    const [neurons, seconds] = [
      spread(rows.map((row) => row.neurons)),
      spread(rows.map((row) => row.seconds)),
    ];
    const [first] = rows;
    if (neurons === null || seconds === null || first === undefined) return [];
    const said = `${first.series}, stage ${first.stage}: ${integer(neurons.mean)} neurons in ${spreadText(seconds, ' s')}`;
    return [{ series: first.series, neurons: neurons.mean, seconds: seconds.mean, ...bar(seconds), said }];
  });
  const { encoding, rows } = looks(
    seriesOf(data),
    values.map(({ series }) => series),
  );
  const x = {
    field: 'neurons',
    type: 'quantitative',
    scale: { zero: false, nice: false, padding: 14 },
    axis: { title: 'neurons split in the stage', tickCount: 6, tickMinStep: 1, format: '~s' },
  };
  const y = { field: 'seconds', type: 'quantitative', axis: { title: 'seconds of splitting', tickCount: 6 } };
  return {
    caption:
      'Seconds of indices, choice and growth of every stage; means over seeds with one sample standard deviation.',
    spec: frame(
      {
        data: { values },
        encoding: { x, ...encoding },
        layer: [lines(y), seedMarks(single, y), ...errorBars(y), marks(y)],
      },
      heightWith(PLOT_HEIGHT, rows),
    ),
  };
}

const MEASURES = [
  ['rankCorrelation', 'rank correlation', 'circle', [1, 0]],
  ['overlap', 'overlap of the chosen neurons', 'triangle-up', [5, 4]],
] as const;

/** How far the indices of other methods, computed alongside, agree with those that chose, stage by stage. */
export function agreementPlot(data: FigureData, panel: string): Drawing | null {
  const runs = splitRuns(data, panel);
  const labels = new Set(
    runs
      .filter(({ stages }) => stages.some(({ split: { alongside = [] } }) => alongside.length > 0))
      .map(({ label }) => label),
  );
  const single = runs.flatMap(({ label, seed, stages }) =>
    stages.flatMap(({ stage, split: { method, alongside = [] } }) =>
      alongside.flatMap((along) =>
        MEASURES.flatMap(([field, measure]) => {
          const value = along[field];
          const series =
            labels.size > 1 ? `${along.method} beside ${label}` : `${along.method} beside ${method}`;
          const said = `${series}, stage ${stage}, seed ${seed}: ${measure} ${decimal(value, 3)}`;
          return typeof value === 'number' ? [{ series, measure, stage, value, said }] : [];
        }),
      ),
    ),
  );
  if (single.length === 0) return null;
  const values = grouped(single, ({ series, measure, stage }) =>
    JSON.stringify([series, measure, stage]),
  ).flatMap((rows) => {
    const found = spread(rows.map(({ value }) => value));
    const [first] = rows;
    if (found === null || first === undefined) return [];
    const { series, measure, stage } = first;
    const said = `${series}, stage ${stage}: ${measure} ${spreadText(found, '', 3)}`;
    return [{ series, measure, stage, value: found.mean, ...bar(found), said }];
  });
  const names = [...new Set(values.map(({ series }) => series))];
  const { encoding, rows } = looks(names, names);
  const measures = MEASURES.map(([, measure]) => measure);
  const x = { field: 'stage', type: 'ordinal', axis: { title: 'stage', labelAngle: 0, grid: false } };
  const y = {
    field: 'value',
    type: 'quantitative',
    scale: { domainMax: 1, zero: Math.min(...single.map(({ value }) => value)) < 0.5 },
    axis: { title: 'agreement, 1 = the same', tickCount: 6 },
  };
  return {
    caption:
      'Circles, solid: Spearman rank correlation of the splitting indices over all neurons. Triangles, dashed: neurons that both choose, as a share of those that either does. Means over seeds with one sample standard deviation.',
    spec: frame(
      {
        data: { values },
        encoding: {
          x,
          color: encoding.color,
          shape: {
            field: 'measure',
            type: 'nominal',
            scale: { domain: measures, range: MEASURES.map(([, , shape]) => shape) },
            legend: null,
          },
        },
        layer: [
          ...MEASURES.map(([, measure, , strokeDash]) => ({
            transform: [{ filter: { field: 'measure', equal: measure } }],
            mark: { type: 'line', strokeWidth: 2, strokeDash, aria: false },
            encoding: { y, shape: null },
          })),
          ...errorBars(y),
          marks(y),
        ],
      },
      heightWith(PLOT_HEIGHT, rows),
    ),
  };
}
