// stages.csv and epochs.csv: one row a network, one row an epoch, for spreadsheets.
import { row } from '../../graph/fields.js';
import type { RecordedRun } from '../../run/store/read.js';
import type { EpochRecord } from '../../run/store/records.js';
import { csv } from '../page/files.js';

const PHASES = ['fit', 'indices', 'select', 'grow', 'evaluate'] as const;

/** One row an epoch of every stage; those in which a copy was finished are `finish`, the others `fit`. */
export function epochsCsv({ stages }: RecordedRun): string {
  const head = ['stage', 'epoch', 'loss', 'top1', 'learningRate', 'seconds', 'part', 'validationTop1'];
  const rowsOf = (stage: number, part: string, epochs: readonly EpochRecord[]) =>
    epochs.map(({ epoch, loss, top1, learningRate, seconds, evaluation }) => [
      ...[stage, epoch, loss, top1, learningRate, seconds],
      part,
      evaluation?.top1 ?? '',
    ]);
  const rows = stages.flatMap(({ stage, epochs, finish = [] }) => [
    ...rowsOf(stage, 'fit', epochs),
    ...rowsOf(stage, 'finish', finish),
  ]);
  return csv([head, ...rows]);
}

/** One row a network, the rivals last. */
export function stagesCsv({ summary, compare }: RecordedRun): string {
  const networks = [
    ...summary.stages.map((network) => ({ method: 'grown', ...network })),
    ...(compare?.rivals ?? []).map((network) => ({
      ...{ ...network, stage: network.stage ?? '', compute: network.totalCompute },
    })),
  ];
  const layers = [...new Set(networks.flatMap(({ widths }) => Object.keys(widths)))];
  const head = [
    'method',
    'stage',
    'directory',
    'macs',
    'params',
    'flops2x',
    'compute',
    'top1',
    'top5',
    'loss',
    ...PHASES.map((phase) => `seconds_${phase}`),
    ...layers.map((layer) => `width_${layer}`),
  ];
  const rows = networks.map(
    ({ method, stage, directory, macs, params, flops2x, compute, top1, top5, loss, seconds, widths }) => [
      method,
      stage,
      directory,
      macs,
      params,
      flops2x ?? '',
      compute ?? '',
      top1,
      top5,
      loss,
      ...PHASES.map((phase) => seconds[phase]),
      ...layers.map((layer) => row(widths, layer) ?? ''),
    ],
  );
  return csv([head, ...rows]);
}
