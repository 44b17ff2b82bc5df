// Plots of the growth step: decrease predicted and measured, and how the twins part.

import { decimal, significant } from '../../statistics/format.js';
import { spread } from '../../statistics/spread.js';
import { frame } from '../page/figure.js';
import { grouped, heightWith, lines, logAxis, looks, marks, spreadText } from '../page/series.js';
import { MUTED } from '../page/svg.js';
import type { Drawing } from './data.js';
import { type FigureData, seriesOf, splitRuns } from './data.js';

const PLOT_HEIGHT = 250;

/** Measured against predicted decrease of the loss right after splitting, for every epsilon tried; both axes logarithmic. */
export function decreasePlot(data: FigureData, panel: string): Drawing | null {
  const all = splitRuns(data, panel).flatMap(({ label, seed, stages }) =>
    stages.flatMap(({ stage, split: { step } }) => {
      const tried = step.tried.length > 0 ? step.tried : [{ epsilon: step.epsilon, loss: step.lossAfter }];
      return tried
        .filter(({ epsilon }) => epsilon !== 0 && step.epsilon !== 0)
        .map(({ epsilon, loss }) => {
          // The prediction is a multiple of epsilon squared, recorded for the epsilon taken.
          const predicted = step.predictedDecrease * (epsilon / step.epsilon) ** 2;
          const measured = step.lossBefore - loss;
          const said = `${label}, stage ${stage}, seed ${seed}, epsilon ${significant(epsilon)}: predicted ${significant(predicted)}, measured ${significant(measured)}`;
          return { series: label, predicted, measured, said };
        });
    }),
  );
  const values = all.filter(({ predicted, measured }) => predicted > 0 && measured > 0);
  if (values.length === 0) return null;
  const { encoding, rows } = looks(
    seriesOf(data),
    values.map(({ series }) => series),
  );
  const both = values.flatMap(({ predicted, measured }) => [predicted, measured]);
  const ends = [Math.min(...both), Math.max(...both)].map((value) => ({ predicted: value, measured: value }));
  const x = logAxis('predicted', 'predicted decrease of the loss', both, '~g');
  const y = logAxis('measured', 'measured decrease', both, '~g');
  const left = all.length - values.length;
  return {
    caption: `Loss on training images right after splitting against −½ ε² Σλ, every ε that was tried; on the dashed line both are equal.${left === 0 ? '' : ` ${left} of ${all.length} steps raised the loss and have no place on a logarithmic axis.`}`,
    spec: frame(
      {
        data: { values },
        encoding: { x },
        layer: [
          {
            data: { values: ends },
            mark: { type: 'line', strokeDash: [5, 4], strokeWidth: 1.5, color: MUTED, aria: false },
            encoding: { y },
          },
          { ...marks(y, { size: 46 }), encoding: { y, ...encoding, description: { field: 'said' } } },
        ],
      },
      heightWith(PLOT_HEIGHT + 30, rows),
    ),
  };
}

/** Distance between the offspring of one neuron over the epochs after their split; one line a stage, means over seeds. */
export function twinsPlot(data: FigureData, panel: string): Drawing | null {
  const single = data.runs
    .filter((run) => run.panel === panel)
    .flatMap(({ label, record }) =>
      (record?.stages ?? []).flatMap(({ stage, epochs }) =>
        epochs.flatMap(({ epoch, twins }) =>
          twins === undefined
            ? []
            : [{ series: label, stage, epoch: epoch + 1, distance: twins.meanDistance }],
        ),
      ),
    );
  const values = grouped(single, ({ series, stage, epoch }) =>
    JSON.stringify([series, stage, epoch]),
  ).flatMap((rows) => {
    const found = spread(rows.map(({ distance }) => distance));
    const [first] = rows;
    if (found === null || first === undefined) return [];
    const { series, stage, epoch } = first;
    const said = `${series}, stage ${stage}, epoch ${epoch}: distance ${spreadText(found, '', 3)}`;
    return [{ series, stage, line: `${series} ${stage}`, epoch, distance: found.mean, said }];
  });
  if (values.length === 0) return null;
  const last = grouped(values, ({ line }) => line).flatMap((rows) =>
    rows.length === 0 ? [] : [rows.reduce((best, row) => (row.epoch > best.epoch ? row : best))],
  );
  const { encoding, rows } = looks(
    seriesOf(data),
    values.map(({ series }) => series),
  );
  const x = {
    field: 'epoch',
    type: 'quantitative',
    scale: { nice: false, padding: 12 },
    axis: { title: 'epochs since the split', tickMinStep: 1, tickCount: 8, grid: false },
  };
  const y = {
    field: 'distance',
    type: 'quantitative',
    axis: { title: 'mean distance of twins', tickCount: 6 },
  };
  const few = values.length <= 120;
  return {
    caption: `Relative distance |a − b| / max(|a|, |b|) of the own weights of two offspring, mean over pairs and seeds. A number at a line's end is the stage; ${decimal(Math.max(...values.map(({ distance }) => distance)), 2)} is the largest.`,
    spec: frame(
      {
        data: { values },
        encoding: { x, ...encoding, detail: { field: 'line' } },
        layer: [
          lines(y),
          ...(few ? [marks(y, { size: 26 })] : []),
          {
            data: { values: last },
            mark: { type: 'text', dx: 9, align: 'left', fontSize: 11, aria: false },
            encoding: { y, text: { field: 'stage' }, shape: null },
          },
        ],
      },
      heightWith(PLOT_HEIGHT, rows),
    ),
  };
}
