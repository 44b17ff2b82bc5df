// A figure for people: one table a panel, a row a curve and stage; and what --scale plan and --list print.
import type { FigureEntry, PlanDocument, ReproduceDocument } from '../api/reproduce.js';
import type { Curve, Point } from '../figure/result.js';
import { decimal, integer, multiplyAdds } from '../statistics/format.js';
import { spread, spreadOfKnown } from '../statistics/spread.js';
import { type Column, type Style, table } from './table.js';

interface Row {
  readonly curve: Curve;
  readonly stage: number | null;
  readonly points: readonly Point[];
}

/** Mean and sample standard deviation over the seeds; of one seed the number alone. */
export function meanAndDeviation(values: readonly number[], digits: number): string {
  const found = spread(values);
  if (found === null || found.sd === null) return decimal(found?.mean, digits);
  return `${decimal(found.mean, digits)} ± ${decimal(found.sd, digits)}`;
}

/** Points of one stage together; reported ones, which have none, each alone. */
function rowsOf(curve: Curve): readonly Row[] {
  const rows = new Map<number | string, Row>();
  curve.points.forEach((point, at) => {
    const key = point.stage ?? `reported ${at}`;
    const known = rows.get(key)?.points ?? [];
    rows.set(key, { curve, stage: point.stage, points: [...known, point] });
  });
  return [...rows.values()];
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'network', cell: ({ curve }) => curve.label },
  { title: 'stage', cell: ({ stage }) => (stage === null ? '–' : String(stage)), isNumber: true },
  {
    title: 'MACs',
    cell: ({ points }) => integer(spread(points.map(({ macs }) => macs))?.mean ?? Number.NaN),
    isNumber: true,
  },
  {
    title: 'compute',
    cell: ({ points }) => multiplyAdds(spreadOfKnown(points.map(({ compute }) => compute ?? null))?.mean),
    isNumber: true,
  },
  {
    title: 'top-1 %',
    cell: ({ points }) =>
      meanAndDeviation(
        points.map(({ top1 }) => top1),
        2,
      ),
    isNumber: true,
    paint: (style, { curve }) => (curve.kind === 'grown' ? style.good : undefined),
  },
  {
    title: 'epochs',
    cell: ({ points }) => (points[0]?.epochs === null ? '–' : integer(points[0]?.epochs ?? Number.NaN)),
    isNumber: true,
  },
  {
    title: 'seeds',
    cell: ({ curve, points }) => (curve.kind === 'reported' ? 'reported' : String(points.length)),
    isNumber: true,
  },
];

function byPanel<T extends { readonly panel: string }>(
  rows: readonly T[],
): readonly (readonly [string, readonly T[]])[] {
  return [...new Set(rows.map(({ panel }) => panel))].map((panel) => [
    panel,
    rows.filter((row) => row.panel === panel),
  ]);
}

/** Title, one table a panel, and where the report is. */
export function figureText({ title, scale, note, curves, files }: ReproduceDocument, style: Style): string {
  const panels = byPanel(curves).map(([panel, own]) =>
    [...(panel === '' ? [] : [style.bold(panel)]), table(COLUMNS, own.flatMap(rowsOf), style)].join('\n'),
  );
  return [`${style.bold(title)} (${scale}: ${note})`, ...panels, files.join('\n')].join('\n\n');
}

type PlanRow = PlanDocument['rows'][number];

const PLAN: readonly Column<PlanRow>[] = [
  { title: 'network', cell: ({ label }) => label },
  { title: 'kind', cell: ({ kind }) => kind },
  { title: 'stage', cell: ({ stage }) => (stage === null ? '–' : String(stage)), isNumber: true },
  { title: 'MACs', cell: ({ macs, isLimit }) => `${isLimit ? '≤ ' : ''}${integer(macs)}`, isNumber: true },
  { title: 'parameters', cell: ({ params }) => (params === null ? '–' : integer(params)), isNumber: true },
  { title: 'epochs', cell: ({ epochs }) => (epochs === null ? '–' : integer(epochs)), isNumber: true },
  { title: 'paper', cell: ({ paper }) => paper?.label ?? '' },
  { title: 'MACs', cell: ({ paper }) => (paper === null ? '' : integer(paper.macs)), isNumber: true },
  { title: 'top-1 %', cell: ({ paper }) => (paper === null ? '' : decimal(paper.top1, 2)), isNumber: true },
  { title: 'top-5 %', cell: ({ paper }) => decimal(paper?.top5, 2).replace('–', ''), isNumber: true },
];

/** One table a panel, and the schedules that its networks are trained by. */
export function planText({ title, of, note, rows }: PlanDocument, style: Style): string {
  const panels = byPanel(rows).map(([panel, own]) => {
    const schedules = [...new Set(own.flatMap(({ schedule }) => schedule ?? []))];
    return [...(panel === '' ? [] : [style.bold(panel)]), table(PLAN, own, style), ...schedules].join('\n');
  });
  return [`${style.bold(title)} (plan of ${of} scale: ${note})`, ...panels].join('\n\n');
}

const ENTRIES: readonly Column<FigureEntry>[] = [
  { title: 'id', cell: ({ id }) => id },
  { title: 'paper', cell: ({ paper }) => paper },
  { title: 'shows', cell: ({ title }) => title },
  { title: 'scales', cell: ({ scales }) => scales.join(' ') },
];

export function listText(figures: readonly FigureEntry[], style: Style): string {
  return table(ENTRIES, figures, style);
}
