// What train and grow share: the experiment's argument, --set, and the table of a run's networks.

import { SplitgrowError } from '../errors.js';
import { rivalNameAt } from '../report/run/tables.js';
import type { RivalRecord, StageSummary, Summary } from '../run/store/records.js';
import { decimal, integer } from '../statistics/format.js';
import { repeated, required, text } from './flags.js';
import { DEVICE_FLAG } from './shared-flags.js';
import { type Column, type Style, table } from './table.js';

export const EXPERIMENT_ARGUMENTS = { experiment: required(text('EXPERIMENT', 'experiment file (JSON)')) };
export const EXPERIMENT_FLAGS = {
  set: repeated('path=value', 'overrides a field of the experiment, such as fit.epochs=10', (given, name) => {
    if (!/^[^=]+=/.test(given)) {
      throw new SplitgrowError(
        'E_USAGE',
        `${name}: expected path=value, such as fit.epochs=10, got "${given}"`,
      );
    }
    return given;
  }),
  device: DEVICE_FLAG,
};

interface Overridden {
  readonly set: readonly string[];
  readonly device: string | undefined;
  readonly threads: number | undefined;
}

/** --device and --threads are overrides too; they come last. */
export function overridesOf({ set, device, threads }: Overridden): readonly string[] {
  return [
    ...set,
    ...(device === undefined ? [] : [`device=${device}`]),
    ...(threads === undefined ? [] : [`threads=${threads}`]),
  ];
}

interface Row {
  readonly label: string;
  readonly isRival: boolean;
  readonly network: Pick<StageSummary, 'widths' | 'macs' | 'params' | 'top1' | 'seconds'>;
}

function widthsOf(widths: Readonly<Record<string, number>>): string {
  return Object.values(widths).join(' ');
}

const NETWORKS: readonly Column<Row>[] = [
  { title: 'stage', cell: ({ label }) => label },
  { title: 'widths', cell: ({ network }) => widthsOf(network.widths) },
  { title: 'MACs', cell: ({ network }) => integer(network.macs), isNumber: true },
  { title: 'parameters', cell: ({ network }) => integer(network.params), isNumber: true },
  {
    title: 'top-1 %',
    cell: ({ network }) => decimal(network.top1, 2),
    isNumber: true,
    paint: (style, { isRival }) => (isRival ? undefined : style.good),
  },
  ...(['fit', 'indices', 'select', 'grow', 'evaluate'] as const).map((phase) => ({
    title: `${phase} s`,
    cell: ({ network }: Row) => decimal(network.seconds[phase], 2),
    isNumber: true,
  })),
];

/** One row a stage, and the rivals of equal MACs below. */
export function networksTable(summary: Summary, rivals: readonly RivalRecord[], style: Style): string {
  const rows: Row[] = [
    ...summary.stages.map((stage) => ({ label: String(stage.stage), isRival: false, network: stage })),
    ...rivals.map((rival) => ({
      label: rivalNameAt(rival),
      isRival: true,
      network: rival,
    })),
  ];
  return table(NETWORKS, rows, style);
}
