// What the plots and tables of a figure are made from, and what they call its curves.
import type { TopLevelSpec } from 'vega-lite';
import type { FigureResult, ReadRun } from '../../figure/result.js';
import type { FigureStatistics } from '../../figure/statistics.js';
import { splitStages } from '../run/tables.js';

export interface FigureData {
  readonly figure: FigureResult;
  readonly statistics: FigureStatistics;
  readonly runs: readonly ReadRun[];
}

/** What a kind of plot draws for one panel. */
export interface Drawing {
  readonly caption: string;
  readonly spec: TopLevelSpec;
}

/** What the legend calls a curve. */
export function shownName({ label, kind }: { readonly label: string; readonly kind?: string }): string {
  return kind === 'reported' ? `${label} (reported)` : label;
}

/** Names of all curves in the order that gives them their looks, over all panels. */
export function seriesOf({ figure }: FigureData): readonly string[] {
  const ran = figure.runs.map(({ label }) => label);
  return [...new Set([...figure.curves.map(shownName), ...ran])];
}

type SplitRun = ReadRun & { readonly stages: ReturnType<typeof splitStages> };

/** The stages that were split of each run of the panel. */
export function splitRuns({ runs }: FigureData, panel: string): readonly SplitRun[] {
  return runs
    .filter((run) => run.panel === panel)
    .map((run) => ({ ...run, stages: splitStages(run.record?.stages ?? []) }));
}
