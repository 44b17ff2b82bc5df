// The tables of the report: stages, choices, certificates, growth steps, machine.

import { row } from '../../graph/fields.js';
import type { RecordedRun } from '../../run/store/read.js';
import type {
  BestRecord,
  BudgetRecord,
  CertificateRecord,
  PickRecord,
  RivalRecord,
  SplitRecord,
  StageRecord,
  StageSummary,
  Summary,
} from '../../run/store/records.js';
import { descentText } from '../../run/store/split-record.js';
import { amount, decimal, integer, multiplyAdds, percent, significant } from '../../statistics/format.js';
import { type Html, type HtmlColumn, html, htmlTable } from '../page/html.js';

/** A network of a run: of a stage, or a rival. */
export type NetworkRow = Pick<
  StageSummary,
  'macs' | 'params' | 'top1' | 'top5' | 'loss' | 'widths' | 'seconds'
> & {
  readonly name: string;
  /** Multiply-adds of everything that it took; null where that is not known. */
  readonly compute: number | null;
  /** Stages of the run; its rivals; what it hands over. */
  readonly kind: 'stage' | 'rival' | 'best';
};

interface TextColumn extends HtmlColumn<NetworkRow> {
  readonly cell: (row: NetworkRow) => string;
}

/** The columns of a run's networks, on the page and in the terminal. */
export const NETWORKS: readonly TextColumn[] = [
  { title: 'stage', cell: (row) => row.name },
  { title: 'widths', cell: (row) => Object.values(row.widths).join(' ') },
  { title: 'MACs', cell: (row) => integer(row.macs), isNumber: true },
  { title: 'compute', cell: (row) => multiplyAdds(row.compute), isNumber: true },
  { title: 'parameters', cell: (row) => integer(row.params), isNumber: true },
  { title: 'top-1 %', cell: (row) => decimal(row.top1, 2), isNumber: true },
  { title: 'top-5 %', cell: (row) => decimal(row.top5, 2), isNumber: true },
  { title: 'test loss', cell: (row) => decimal(row.loss, 4), isNumber: true },
  ...(['fit', 'indices', 'select', 'grow', 'evaluate'] as const).map((phase) => ({
    title: `${phase} s`,
    cell: (row: NetworkRow) => decimal(row.seconds[phase], 2),
    isNumber: true,
  })),
];

/** What is handed over, as a row: it has the widths of its stage. */
function deliveredRow({ which, stage, compute, ...best }: BestRecord, { stages }: Summary): NetworkRow {
  const { widths = {} } = stages.find((one) => one.stage === stage) ?? {};
  const both = compute.grown + (compute.retrained ?? 0);
  return { ...best, ...best.test, widths, compute: both, name: `best: ${stage} ${which}`, kind: 'best' };
}

/** What a summary hands over, of each stage once. */
function deliveriesOf({ best, delivered = [] }: Summary): readonly BestRecord[] {
  return delivered.length > 0 || best === undefined ? delivered : [best];
}

/** One row a stage, then what is handed over, then the rivals. */
export function networkRows(summary: Summary, rivals: readonly RivalRecord[]): readonly NetworkRow[] {
  return [
    ...summary.stages.map((stage) => ({
      ...{ ...stage, compute: stage.compute ?? null, name: String(stage.stage), kind: 'stage' as const },
    })),
    ...deliveriesOf(summary).map((best) => deliveredRow(best, summary)),
    ...rivals.map((rival) => ({
      ...{ ...rival, compute: rival.totalCompute ?? null, name: rivalNameAt(rival), kind: 'rival' as const },
    })),
  ];
}

/** Why the network that is handed over is that one: "validation top-1 grown 63.90 %, retrained 65.00 %; test top-1 64.80 %" */
export function deliveredText({ which, stage, validation, test }: BestRecord): string {
  const reached = Object.entries(validation).flatMap(([name, top1]) =>
    top1 === null ? [] : [`${name} ${decimal(top1, 2)} %`],
  );
  const compared = reached.length > 0 ? `validation top-1 ${reached.join(', ')}; ` : '';
  return `stage ${stage}, ${which}; ${compared}test top-1 ${decimal(test.top1, 2)} %`;
}

export function stagesTable({ summary, compare }: RecordedRun): Html {
  const rows = networkRows(summary, compare?.rivals ?? []);
  return htmlTable(NETWORKS, rows, ({ kind }) => (kind === 'stage' ? '' : kind));
}

export interface Choice {
  readonly stage: number;
  readonly certificate: CertificateRecord;
  readonly budget: BudgetRecord;
  readonly picks: number;
}

/** The bound, and the budgets that it leaves out. */
function boundText({ bound, boundWithout = [] }: CertificateRecord): string {
  const without = boundWithout.length > 0 ? ` without ${boundWithout.join(', ')}` : '';
  return `${significant(bound, 4)}${without}`;
}

export const CERTIFICATES: readonly HtmlColumn<Choice>[] = [
  { title: 'stage', cell: ({ stage }) => `${stage} to ${stage + 1}` },
  { title: 'budget', cell: ({ budget }) => budget.cost },
  { title: 'before', cell: ({ budget }) => amount(budget.before), isNumber: true },
  { title: 'limit', cell: ({ budget }) => amount(budget.limit), isNumber: true },
  { title: 'after', cell: ({ budget }) => amount(budget.after), isNumber: true },
  { title: 'growth used', cell: ({ budget }) => percent(budget.usedShare), isNumber: true },
  {
    title: 'limit kept',
    cell: ({ budget }) =>
      budget.after <= budget.limit ? html`<span class="good">yes</span>` : html`<span class="bad">no</span>`,
  },
  { title: 'split', cell: ({ picks }) => integer(picks), isNumber: true },
  {
    title: 'negative / all',
    cell: ({ certificate }) => `${integer(certificate.eligible)} / ${integer(certificate.neurons)}`,
    isNumber: true,
  },
  {
    title: 'sum of indices',
    cell: ({ certificate }) => significant(certificate.objective, 4),
    isNumber: true,
  },
  { title: 'LP bound', cell: ({ certificate }) => boundText(certificate), isNumber: true },
  { title: 'gap', cell: ({ certificate }) => percent(certificate.gap), isNumber: true },
  { title: 'solver', cell: ({ certificate }) => certificate.solver },
];

type SplitStage = StageRecord & { readonly split: SplitRecord };

/** The stages whose network was split. */
export function splitStages(stages: readonly StageRecord[]): readonly SplitStage[] {
  return stages.filter((stage): stage is SplitStage => stage.split !== null);
}

/** One row a budget of every stage that was split. */
export function choicesOf(stages: readonly StageRecord[]): readonly Choice[] {
  return splitStages(stages).flatMap(({ stage, split: { certificate, picks } }) =>
    certificate.budgets.map((budget) => ({ stage, certificate, budget, picks: picks.length })),
  );
}

export function certificatesTable({ stages }: RecordedRun): Html {
  return htmlTable(CERTIFICATES, choicesOf(stages));
}

const STEPS: readonly HtmlColumn<SplitStage>[] = [
  { title: 'stage', cell: ({ stage }) => `${stage} to ${stage + 1}` },
  {
    title: 'logits changed at epsilon 0',
    cell: ({ split: { step } }) => significant(step.functionError),
    isNumber: true,
  },
  {
    title: 'epsilon',
    cell: ({ split: { step } }) =>
      `${significant(step.epsilon)}${step.epsilonScale === 'relative' ? ' |theta|' : ''}`,
    isNumber: true,
  },
  {
    title: 'chosen by',
    cell: ({ split: { step } }) =>
      step.kind === 'line-search' ? `line search over ${step.tried.length}` : 'experiment',
  },
  { title: 'statistics', cell: ({ split: { step } }) => step.statistics ?? 'running' },
  { title: 'loss before', cell: ({ split: { step } }) => decimal(step.lossBefore, 5), isNumber: true },
  { title: 'loss after', cell: ({ split: { step } }) => decimal(step.lossAfter, 5), isNumber: true },
  {
    title: 'predicted decrease',
    cell: ({ split: { step } }) => significant(step.predictedDecrease),
    isNumber: true,
  },
  {
    title: 'measured decrease',
    cell: ({ split: { step } }) => significant(step.measuredDecrease),
    isNumber: true,
  },
  {
    title: 'loss recalibrated',
    cell: ({ split: { step } }) => decimal(step.lossRecalibrated ?? null, 5),
    isNumber: true,
  },
  {
    title: 'twins apart',
    cell: ({ split: { step } }) => significant(step.twins?.meanDistance ?? null),
    isNumber: true,
  },
  {
    title: 'newborn / old gradient',
    cell: ({ split: { step } }) => significant(step.gradients?.ratio ?? null),
    isNumber: true,
  },
  { title: 'images', cell: ({ split: { step } }) => integer(step.images), isNumber: true },
];

const INSERTED: HtmlColumn<SplitStage> = {
  title: 'new neurons',
  cell: ({ split: { inserted } }) =>
    inserted === undefined ? '0' : `${integer(inserted.count)}, ${inserted.kind}`,
  isNumber: true,
};

/** One row a growth step; new neurons only where a stage has some. */
export function stepsTable({ stages }: RecordedRun): Html {
  const split = splitStages(stages);
  const hasNew = split.some((stage) => stage.split.inserted !== undefined);
  return htmlTable(hasNew ? [...STEPS, INSERTED] : STEPS, split);
}

function pickColumns(picks: readonly PickRecord[]): readonly HtmlColumn<PickRecord>[] {
  const costs = Object.keys(picks[0]?.costs ?? {});
  return [
    { title: 'group', cell: (pick) => pick.group },
    { title: 'neuron', cell: (pick) => String(pick.neuron), isNumber: true },
    { title: 'index', cell: (pick) => significant(pick.index, 4), isNumber: true },
    ...costs.map((cost) => ({
      title: `marginal ${cost}`,
      cell: (pick: PickRecord) => integer(row(pick.costs, cost) ?? Number.NaN),
      isNumber: true,
    })),
    { title: 'index / cost', cell: (pick) => significant(pick.ratio, 4), isNumber: true },
  ];
}

/** The chosen neurons of every stage with the reason, folded away. */
export function picksTables({ stages }: RecordedRun): Html {
  return html`${splitStages(stages).map(
    ({
      stage,
      split: { picks, strategy, method, chains },
    }) => html`<details><summary>Stage ${stage} to ${stage + 1}
      <span class="note">${picks.length} neurons, ${strategy}, indices by ${[method, descentText(chains)].filter(Boolean).join(': ')}</span></summary>${htmlTable(pickColumns(picks), picks)}</details>\n`,
  )}`;
}

type Named = Pick<RivalRecord, 'label' | 'multiplier' | 'resolution' | 'stage'>;

/** "Width multiplier 2.49x", "Resolution multiplier 24 px" */
export function rivalName({ label, multiplier, resolution }: Omit<Named, 'stage'>): string {
  // Of a network on smaller images the resolution tells it from the others.
  if (resolution !== null) return `${label} ${resolution} px`;
  return multiplier === null ? label : `${label} ${decimal(multiplier, 2)}x`;
}

/** The same with the stage that it is held against: "Pruning (Bn), stage 3" */
export function rivalNameAt(rival: Named): string {
  return rival.stage === null ? rivalName(rival) : `${rivalName(rival)}, stage ${rival.stage}`;
}
