// stages.csv: one row a network, for spreadsheets.
import type { RunRecord } from './read.js';

const PHASES = ['fit', 'indices', 'select', 'grow', 'evaluate'] as const;

/** Quoted where needed; text that a spreadsheet would take for a formula is led by an apostrophe. */
function cell(value: string | number): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function stagesCsv({ summary, compare }: RunRecord): string {
  const networks = [
    ...summary.stages.map((network) => ({ method: 'grown', ...network })),
    ...(compare?.rivals ?? []).map((network) => ({ ...network, stage: network.stage ?? '' })),
  ];
  const layers = [...new Set(networks.flatMap(({ widths }) => Object.keys(widths)))];
  const head = [
    'method',
    'stage',
    'directory',
    'macs',
    'params',
    'flops2x',
    'top1',
    'top5',
    'loss',
    ...PHASES.map((phase) => `seconds_${phase}`),
    ...layers.map((layer) => `width_${layer}`),
  ];
  const rows = networks.map(
    ({ method, stage, directory, macs, params, flops2x, top1, top5, loss, seconds, widths }) => [
      method,
      stage,
      directory,
      macs,
      params,
      flops2x ?? '',
      top1,
      top5,
      loss,
      ...PHASES.map((phase) => seconds[phase]),
      ...layers.map((layer) => widths[layer] ?? ''),
    ],
  );
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}
