// The report's page: first the result, then the figures, then the tables and certificates behind them.

import { row } from '../../graph/fields.js';
import type { RecordedRun } from '../../run/store/read.js';
import { END_REASONS, type RivalRecord } from '../../run/store/records.js';
import { decimal, integer, percent, seconds } from '../../statistics/format.js';
import { type Drawn, figureHtml } from '../page/figure.js';
import { experimentHtml, factsTable, type Html, html, type Tile, tilesHtml } from '../page/html.js';
import { shell } from '../page/shell.js';
import {
  certificatesTable,
  deliveredText,
  picksTables,
  rivalName,
  splitStages,
  stagesTable,
  stepsTable,
} from './tables.js';

export interface PageParts {
  readonly run: RecordedRun;
  readonly figures: readonly Drawn[];
  readonly indexFigures: readonly Drawn[];
  readonly machine: readonly (readonly [string, string])[];
  /** When the report was made, ISO 8601. */
  readonly made: string;
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${decimal(Math.abs(value), digits)}`;
}

/** The rivals that are compared with the last network. The table has the others. */
function rivalsOfLast(rivals: readonly RivalRecord[], last: number): readonly RivalRecord[] {
  return rivals.filter(({ stage = last }) => stage === last);
}

function tilesOf({ summary, compare }: RecordedRun): readonly Tile[] {
  const first = summary.stages[0];
  const last = summary.stages.at(-1);
  if (first === undefined || last === undefined) return [];
  const spent = summary.stages
    .flatMap((stage) => Object.values(stage.seconds))
    .reduce((sum, value) => sum + value, 0);
  const fit = summary.stages.reduce((sum, stage) => sum + stage.seconds.fit, 0);
  const rivals = rivalsOfLast(compare?.rivals ?? [], last.stage).map((rival) => ({
    name: `against ${rivalName(rival)}`,
    value: `${signed(last.top1 - rival.top1, 2)} points`,
    note: `${decimal(rival.top1, 2)} % at ${integer(rival.macs)} MACs`,
  }));
  const best = summary.best && {
    name: 'to ship: best/',
    value: `${decimal(summary.best.test.top1, 2)} %`,
    note: deliveredText(summary.best),
  };
  return [
    ...(best === undefined ? [] : [best]),
    {
      name: 'top-1',
      value: `${decimal(last.top1, 2)} %`,
      note: `${signed(last.top1 - first.top1, 2)} points over the seed network`,
    },
    {
      name: 'MACs',
      value: integer(last.macs),
      note: `${decimal(last.macs / first.macs, 2)} times the seed network's`,
    },
    {
      name: 'parameters',
      value: integer(last.params),
      note: `${decimal(last.params / first.params, 2)} times the seed network's`,
    },
    {
      name: 'seconds',
      value: seconds(spent),
      note: `${percent(fit / spent)} of them parametric updates`,
    },
    ...rivals,
  ];
}

function splittingHtml({ run, indexFigures }: PageParts): Html {
  if (splitStages(run.stages).length === 0) return html``;
  return html`
<h2>Splitting indices</h2>
<div class="figures">${indexFigures.map(figureHtml)}</div>
<h2>Budgets and certificates</h2>
<p class="note">The limit is hard: costs are counted on the grown network. The bound is the optimum of the linear relaxation, which no choice within the
budget can pass; the gap is how far the choice is from it.</p>
${certificatesTable(run)}
<h2>Growth steps</h2>
<p class="note">With epsilon 0 offspring must leave the function as it is: the largest change of a logit, relative to the largest logit.
The predicted decrease of the loss is −½ the sum of the chosen indices, each times its step squared.</p>
${stepsTable(run)}
<h2>Neurons split, and why</h2>
${picksTables(run)}`;
}

/** The whole page. */
export function page(parts: PageParts): string {
  const { run, figures, machine, made } = parts;
  const { name, seed, stages } = run.summary;
  const ended = row<string>(END_REASONS, run.stages.at(-1)?.ended ?? '');
  const underWay = run.underWay ?? null;
  const state = ended === undefined ? '' : `; it ended because ${ended}`;
  const now =
    underWay === null ? '' : `; under way: stage ${underWay.stage}, ${underWay.epochs.length} epochs done`;
  return shell({
    title: name,
    eyebrow: 'splitgrow growth run',
    lead: html`<p>${Math.max(0, stages.length - 1)} splitting stages, seed ${seed}${underWay === null ? state : now}.</p>`,
    body: html`${run.dataNote ? html`<p class="note">Images: ${run.dataNote}</p>` : html``}${tilesHtml(tilesOf(run))}
<h2>Stages</h2>
${stages.length === 0 ? html`<p class="note">None is finished yet.</p>` : stagesTable(run)}
<h2>Figures</h2>
<div class="figures">${figures.map(figureHtml)}</div>
${splittingHtml(parts)}
<h2>Experiment</h2>
${run.experiment === null ? html`<p class="note">None was kept in the output folder.</p>` : experimentHtml('The experiment file, defaults filled in', run.experiment)}
<h2>Machine and versions</h2>
${factsTable([...machine, ['report made', made]])}`,
  });
}
