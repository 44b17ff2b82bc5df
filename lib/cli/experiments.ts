// What train and grow share: the experiment's argument, --set, and the table of a run's networks.

import { SplitgrowError } from '../errors.js';
import { NETWORKS, type NetworkRow, networkRows } from '../report/run/tables.js';
import type { RivalRecord, Summary } from '../run/store/records.js';
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

/** Columns of the report's table that a terminal has no room for. */
const LEFT_OUT: readonly string[] = ['top-5 %', 'test loss'];

const COLUMNS: readonly Column<NetworkRow>[] = NETWORKS.filter(({ title }) => !LEFT_OUT.includes(title)).map(
  (column) =>
    column.title === 'top-1 %'
      ? { ...column, paint: (style, { kind }) => (kind === 'rival' ? undefined : style.good) }
      : column,
);

/** One row a stage, then what is handed over, then the rivals of equal MACs. */
export function networksTable(summary: Summary, rivals: readonly RivalRecord[], style: Style): string {
  return table(COLUMNS, networkRows(summary, rivals), style);
}
