// Tables of a figure's report: claims, curves by stage, differences at equal cost, search costs, certificates.

import type { ReadRun } from '../../figure/result.js';
import type { ClaimStatistics, CostStatistics, StageStatistics } from '../../figure/statistics.js';
import type { Comparison } from '../../figure/statistics-compare.js';
import { decimal, integer, multiplyAdds, seconds } from '../../statistics/format.js';
import { type Spread, standardError } from '../../statistics/spread.js';
import type { Verdict } from '../../statistics/verdict.js';
import { type Html, type HtmlColumn, html, htmlTable } from '../page/html.js';
import { CERTIFICATES, type Choice, choicesOf } from '../run/tables.js';
import { shownName } from './data.js';

type Write = (value: number) => string;

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${decimal(Math.abs(value), 2)}`;
}

/** mean ± sd; only the mean where one seed has no deviation, a dash where there is nothing. */
function plusMinus(found: Spread | null, write: Write, writeSd: Write = write): string {
  if (found === null) return '–';
  return found.sd === null ? write(found.mean) : `${write(found.mean)} ± ${writeSd(found.sd)}`;
}

const points: Write = (value) => decimal(value, 2);

/** mean ± standard error */
function withError(found: Spread | null): string {
  return plusMinus(found === null ? null : { ...found, sd: standardError(found) }, signed, points);
}

const VERDICTS: Readonly<Record<Verdict, string>> = { agrees: 'good', disagrees: 'bad', undecided: 'open' };
const PLACES = { low: 'at the low end', high: 'at the high end', all: 'over the whole range' } as const;

const CLAIMS: readonly HtmlColumn<ClaimStatistics>[] = [
  { title: 'the paper shows', cell: ({ claim }) => claim.text, isText: true },
  { title: 'panel', cell: ({ claim }) => claim.panel },
  {
    title: 'compared',
    cell: ({ claim }) =>
      `${claim.better} ${claim.relation === 'above' ? 'above' : 'not below'} ${claim.than}`,
    isText: true,
  },
  {
    title: 'where',
    cell: ({ claim }) => `${PLACES[claim.where]}, equal ${claim.on === 'macs' ? 'MACs' : 'parameters'}`,
  },
  {
    title: 'difference, points',
    cell: ({ difference }) => withError(difference),
    isNumber: true,
  },
  { title: 'seeds', cell: ({ difference }) => String(difference?.n ?? 0), isNumber: true },
  {
    title: 'verdict',
    cell: ({ verdict }) => html`<span class="${VERDICTS[verdict]}">${verdict}</span>`,
  },
];

export function claimsTable(claims: readonly ClaimStatistics[]): Html {
  return htmlTable(CLAIMS, claims);
}

const STAGES: readonly HtmlColumn<StageStatistics>[] = [
  { title: 'panel', cell: ({ panel }) => panel },
  { title: 'curve', cell: shownName },
  { title: 'stage', cell: ({ stage }) => (stage === null ? '–' : String(stage)), isNumber: true },
  { title: 'seeds', cell: ({ n, kind }) => (kind === 'reported' ? '–' : String(n)), isNumber: true },
  { title: 'MACs', cell: ({ macs }) => plusMinus(macs, integer), isNumber: true },
  { title: 'parameters', cell: ({ params }) => plusMinus(params, integer), isNumber: true },
  { title: 'top-1 %', cell: ({ top1 }) => plusMinus(top1, points), isNumber: true },
  { title: 'top-5 %', cell: ({ top5 }) => plusMinus(top5, points), isNumber: true },
  { title: 'test loss', cell: ({ loss }) => plusMinus(loss, (value) => decimal(value, 4)), isNumber: true },
  { title: 'compute', cell: ({ compute }) => plusMinus(compute, multiplyAdds), isNumber: true },
  { title: 'epochs behind it', cell: ({ epochs }) => plusMinus(epochs, integer), isNumber: true },
];

export function curvesTable(stages: readonly StageStatistics[]): Html {
  return htmlTable(STAGES, stages, ({ kind }) => (kind === 'grown' ? '' : kind));
}

const COMPARISONS: readonly HtmlColumn<Comparison>[] = [
  { title: 'panel', cell: ({ panel }) => panel },
  { title: 'curve', cell: ({ better, kinds }) => shownName({ label: better, kind: kinds.better }) },
  { title: 'minus', cell: ({ than, kinds }) => shownName({ label: than, kind: kinds.than }) },
  { title: 'equal', cell: ({ on }) => (on === 'macs' ? 'MACs' : 'parameters') },
  { title: 'from', cell: ({ range }) => integer(range?.low ?? Number.NaN), isNumber: true },
  { title: 'to', cell: ({ range }) => integer(range?.high ?? Number.NaN), isNumber: true },
  { title: 'low end', cell: ({ low }) => plusMinus(low, signed, points), isNumber: true },
  { title: 'high end', cell: ({ high }) => plusMinus(high, signed, points), isNumber: true },
  { title: 'area between', cell: ({ all }) => plusMinus(all, signed, points), isNumber: true },
  { title: 'seeds', cell: ({ all }) => String(all?.n ?? 0), isNumber: true },
];

export function comparisonsTable(comparisons: readonly Comparison[]): Html {
  return htmlTable(COMPARISONS, comparisons);
}

const COSTS: readonly HtmlColumn<CostStatistics>[] = [
  { title: 'panel', cell: ({ panel }) => panel },
  { title: 'method', cell: shownName },
  { title: 'MACs', cell: ({ macs }) => plusMinus(macs, integer), isNumber: true },
  { title: 'top-1 %', cell: ({ top1 }) => plusMinus(top1, points), isNumber: true },
  { title: 'seconds in all', cell: ({ total }) => plusMinus(total, seconds), isNumber: true },
  { title: 'of them fit', cell: ({ fit }) => plusMinus(fit, seconds), isNumber: true },
  { title: 'of them search', cell: ({ search }) => plusMinus(search, seconds), isNumber: true },
  { title: 'of them evaluation', cell: ({ evaluate }) => plusMinus(evaluate, seconds), isNumber: true },
  { title: 'training steps', cell: ({ trainingSteps }) => plusMinus(trainingSteps, integer), isNumber: true },
];

export function costsTable(costs: readonly CostStatistics[]): Html {
  return htmlTable(COSTS, costs, ({ kind }) => (kind === 'grown' ? '' : kind));
}

interface RunChoice extends Choice {
  readonly run: ReadRun;
}

const RUN_CERTIFICATES: readonly HtmlColumn<RunChoice>[] = [
  { title: 'panel', cell: ({ run }) => run.panel },
  { title: 'curve', cell: ({ run }) => run.label },
  { title: 'seed', cell: ({ run }) => String(run.seed), isNumber: true },
  ...CERTIFICATES,
];

/** Budgets and certificates of all runs; null where no run split. */
export function runCertificatesTable(runs: readonly ReadRun[]): Html | null {
  const rows = runs.flatMap((run) =>
    choicesOf(run.record?.stages ?? []).map((choice) => ({ ...choice, run })),
  );
  return rows.length === 0 ? null : htmlTable(RUN_CERTIFICATES, rows);
}
