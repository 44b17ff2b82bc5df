// Figures along time: loss and top-1 per epoch, seconds per phase.

import type { RecordedRun } from '../../run/store/read.js';
import type { EpochRecord } from '../../run/store/records.js';
import { decimal } from '../../statistics/format.js';
import { type Figure, frame, points } from '../page/figure.js';
import { GRID, INK, MUTED, SERIES, SURFACE } from '../page/svg.js';
import { rivalNameAt } from './tables.js';

const PHASES = ['fit', 'indices', 'select', 'grow', 'evaluate'] as const;
const PHASE_NAMES: Readonly<Record<(typeof PHASES)[number], string>> = {
  fit: 'parametric updates',
  indices: 'splitting indices',
  select: 'choice',
  grow: 'growth',
  evaluate: 'evaluation',
};

interface EpochRow {
  readonly epoch: number;
  readonly loss: number;
  readonly top1: number;
  readonly said: string;
}

/** An epoch of a finished copy, or the epoch after which the copy was made. */
interface BranchRow extends EpochRow {
  readonly stage: number;
}

/** Epochs numbered through all stages. Finished copies branch off at a stage's last epoch, and their epochs are not counted. */
function epochRows({ stages, underWay = null }: RecordedRun): {
  readonly rows: readonly EpochRow[];
  readonly branches: readonly BranchRow[];
  readonly tests: readonly EpochRow[];
  readonly starts: readonly { epoch: number; name: string }[];
} {
  const rows: EpochRow[] = [];
  const branches: BranchRow[] = [];
  const tests: EpochRow[] = [];
  const starts: { epoch: number; name: string }[] = [];
  const addEpochs = (stage: number, epochs: readonly EpochRecord[]): void => {
    starts.push({ epoch: rows.length, name: `stage ${stage}` });
    for (const { epoch, loss, top1 } of epochs) {
      rows.push({
        epoch: rows.length + 1,
        loss,
        top1,
        said: `stage ${stage}, epoch ${epoch + 1}: loss ${decimal(loss, 4)}, top-1 ${decimal(top1, 2)} %`,
      });
    }
  };
  const addBranch = (stage: number, finish: readonly EpochRecord[]): void => {
    const from = rows.at(-1);
    if (finish.length > 0 && from !== undefined) branches.push({ ...from, stage });
    for (const { epoch, loss, top1 } of finish) {
      branches.push({
        stage,
        epoch: rows.length + epoch + 1,
        loss,
        top1,
        said: `stage ${stage}, finishing, epoch ${epoch + 1}: loss ${decimal(loss, 4)}, top-1 ${decimal(top1, 2)} %`,
      });
    }
  };
  for (const { stage, epochs, finish = [], evaluation } of stages) {
    addEpochs(stage, epochs);
    addBranch(stage, finish);
    tests.push({
      epoch: rows.length + finish.length,
      loss: evaluation.loss,
      top1: evaluation.top1,
      said: `stage ${stage}, test images: loss ${decimal(evaluation.loss, 4)}, top-1 ${decimal(evaluation.top1, 2)} %`,
    });
  }
  if (underWay !== null) addEpochs(underWay.stage, underWay.epochs);
  return { rows, branches, tests, starts };
}

/** Copies that were finished: a lighter line each. */
function branchLayer(
  branches: readonly BranchRow[],
  { x, y }: Readonly<Record<'x' | 'y', unknown>>,
): Readonly<Record<string, unknown>> {
  return {
    data: { values: branches },
    mark: { type: 'line', stroke: SERIES[0], strokeWidth: 2, opacity: 0.4 },
    encoding: { x, y, detail: { field: 'stage', type: 'nominal' }, description: { field: 'said' } },
  };
}

/** One measure over all epochs: training as a line, the test images as points where a stage ends. */
export function epochFigure(run: RecordedRun, measure: 'loss' | 'top1'): Figure {
  const { rows, branches, tests, starts } = epochRows(run);
  const title = measure === 'loss' ? 'Loss' : 'Top-1';
  const values = [
    ...rows.map((row) => ({ ...row, series: 'training' })),
    ...tests.map((row) => ({ ...row, series: 'test' })),
  ];
  const x = {
    field: 'epoch',
    type: 'quantitative',
    scale: { nice: false, domainMin: 0 },
    axis: { title: 'epochs, all stages', grid: false, tickMinStep: 1, tickCount: 8 },
  };
  const y = {
    field: measure,
    type: 'quantitative',
    scale: { zero: false },
    axis: { title: measure === 'loss' ? 'loss' : 'top-1, %', tickCount: 6 },
  };
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: ['training', 'test'], range: [SERIES[0], SERIES[1]] },
    legend: { title: null, orient: 'top' },
  };
  return {
    id: measure === 'loss' ? 'loss' : 'top1',
    title: `${title} per epoch`,
    caption: `Vertical lines are where neurons were split. Training values are means over the epoch, augmented; test values are taken where a stage ends.${
      branches.length > 0
        ? ' Lighter lines are copies that were finished, the rate falling to 0: growth goes on from where they leave.'
        : ''
    }`,
    spec: frame({
      layer: [
        {
          data: { values: starts.slice(1) },
          mark: { type: 'rule', stroke: MUTED, strokeDash: [3, 3], opacity: 0.7 },
          encoding: { x },
        },
        ...(branches.length > 0 ? [branchLayer(branches, { x, y })] : []),
        {
          data: { values: values.filter((row) => row.series === 'training') },
          mark: {
            type: 'line',
            strokeWidth: 2,
            point: rows.length <= 80 ? { size: 22, filled: true } : false,
          },
          encoding: { x, y, color, description: { field: 'said' } },
        },
        {
          data: { values: values.filter((row) => row.series === 'test') },
          mark: points('diamond', 80).mark,
          encoding: { x, y, color, description: { field: 'said' } },
        },
      ],
    }),
  };
}

/** Where the time of every stage went. */
export function secondsFigure({ summary, compare }: RecordedRun): Figure {
  const bars = [
    ...summary.stages.map(({ stage, seconds }) => ({ name: `stage ${stage}`, seconds })),
    ...(compare?.rivals ?? []).map((rival) => ({ name: rivalNameAt(rival), seconds: rival.seconds })),
  ];
  const values = bars.flatMap(({ name, seconds }, order) =>
    PHASES.map((phase, place) => ({
      name,
      order,
      phase: PHASE_NAMES[phase],
      place,
      seconds: seconds[phase],
      said: `${name}, ${PHASE_NAMES[phase]}: ${decimal(seconds[phase], 2)} s`,
    })),
  );
  return {
    id: 'seconds',
    title: 'Where the time went',
    caption: 'Wall-clock seconds of every phase.',
    spec: frame(
      {
        data: { values },
        mark: { type: 'bar', height: { band: 0.66 }, stroke: SURFACE, strokeWidth: 1 },
        encoding: {
          y: {
            field: 'name',
            type: 'nominal',
            sort: { field: 'order', op: 'min' },
            axis: { title: null, ticks: false, domain: false, labelColor: INK, labelLimit: 170 },
          },
          x: {
            field: 'seconds',
            type: 'quantitative',
            axis: { title: 'seconds', tickCount: 5, gridColor: GRID },
          },
          color: {
            field: 'phase',
            type: 'nominal',
            scale: { domain: PHASES.map((phase) => PHASE_NAMES[phase]), range: [...SERIES] },
            legend: { title: null, orient: 'top', columns: 2 },
          },
          order: { field: 'place', type: 'quantitative' },
          description: { field: 'said' },
        },
      },
      100 + 34 * bars.length,
    ),
  };
}
