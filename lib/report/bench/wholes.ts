// What bench splitting says of whole searches by every method, and of what auto chooses among them: columns, words, plot rows.
import {
  isLeftOut,
  type LeftOut,
  type Point,
  type SplittingBenchDocument,
  type WholeSearch,
} from '../../bench/documents.js';
import { METHODS, type Method } from '../../split/indices/settings.js';
import { decimal, integer, seconds, significant } from '../../statistics/format.js';
import { DASH, number, type TextColumn } from './columns.js';

/** One method at one width. */
export interface WholeRow {
  readonly width: number;
  readonly neurons: number;
  readonly method: Method;
  readonly search: WholeSearch | LeftOut;
  /** Seconds of exact at this width. */
  readonly exactSeconds: number | null;
}

export function wholeRows({ points }: Pick<SplittingBenchDocument, 'points'>): readonly WholeRow[] {
  return points.flatMap(({ width, neurons, wholes }) => {
    if (wholes === null) return [];
    const exactSeconds = isLeftOut(wholes.exact) ? null : wholes.exact.seconds;
    return METHODS.map((method) => ({ width, neurons, method, search: wholes[method], exactSeconds }));
  });
}

const cell =
  (text: (search: WholeSearch, row: WholeRow) => string) =>
  (row: WholeRow): string =>
    isLeftOut(row.search) ? DASH : text(row.search, row);
const percent = (share: number | null): string => (share === null ? DASH : significant(100 * share, 2));

export const WHOLE_COLUMNS: readonly TextColumn<WholeRow>[] = [
  number('width', ({ width }) => significant(width, 4)),
  { title: 'method', cell: ({ method }) => method, isNumber: false },
  number(
    'seconds',
    cell((search) => seconds(search.seconds)),
  ),
  number(
    'over exact',
    cell((search, { exactSeconds }) =>
      exactSeconds === null ? DASH : significant(search.seconds / exactSeconds, 3),
    ),
  ),
  number(
    'passes',
    cell(({ passes }) => integer(passes)),
  ),
  number(
    'from exact, %',
    cell(({ distance }) => percent(distance)),
  ),
  number(
    'worst neuron, %',
    cell(({ worst }) => percent(worst)),
  ),
  number(
    'above tolerance',
    cell(({ above }) => integer(above)),
  ),
];

const ratio = (value: number | null): string => (value === null ? DASH : significant(value, 3));

export const AUTO_COLUMNS: readonly TextColumn<Point>[] = [
  number('width', ({ width }) => significant(width, 4)),
  number('layers exact', ({ auto }) => integer(auto.exactLayers)),
  number('layers lobpcg', ({ auto }) => integer(auto.lobpcgLayers)),
  number('over the better', ({ auto }) => ratio(auto.overBest)),
  number('exact / lobpcg, expected', ({ auto }) => decimal(auto.expectedRatio, 2)),
  number('exact / lobpcg, found', ({ auto }) => ratio(auto.foundRatio)),
];

/** What a row of each of the two tables is. */
export function wholeText({ wholeImages, epochs }: SplittingBenchDocument): string {
  return (
    `A row is one computation of the indices of all layers by one method over ${integer(wholeImages)} images, as a stage of a run makes it: timed as a whole, not scaled from steps. ` +
    `Passes: sweeps of exact, epochs of the descent (rayleigh: ${epochs}, and up to three times as many for neurons above the tolerance) or passes of lobpcg, in the layer that took most. ` +
    'From exact: the sum of differences over the sum of exact indices, in the layer where that is largest. Worst neuron: over its exact index, or over a hundredth of the largest of its layer.'
  );
}

export const AUTO_TEXT =
  'Layers by method; seconds of auto over those of the better of exact and lobpcg for all layers; what its cost model expects of the two, and what was found.';

/** One line a search that was left out. */
export function wholeLines(document: SplittingBenchDocument): readonly string[] {
  return wholeRows(document).flatMap(({ width, method, search }) =>
    isLeftOut(search)
      ? [`Width ${significant(width, 4)}, left out: ${method} as a whole. ${search.leftOut}.`]
      : [],
  );
}
