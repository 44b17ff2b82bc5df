// The page of a figure: first the results, then plots, tables and the runs behind them.

import { clock } from '../../statistics/format.js';
import type { Verdict } from '../../statistics/verdict.js';
import { type Drawn, figureHtml } from '../page/figure.js';
import { experimentHtml, factsTable, type Html, html, type Tile, tilesHtml } from '../page/html.js';
import { shell } from '../page/shell.js';
import type { FigureData } from './data.js';
import { claimsTable, comparisonsTable, costsTable, curvesTable, runCertificatesTable } from './tables.js';

export interface FigurePageParts {
  readonly data: FigureData;
  readonly plots: readonly Drawn[];
  readonly notDrawn: readonly string[];
  readonly widths: readonly Drawn[];
  /** Histograms of splitting indices, by the run that they are of. */
  readonly indices: readonly { readonly name: string; readonly figures: readonly Drawn[] }[];
  /** When the report was made, ISO 8601. */
  readonly made: string;
}

function tilesOf({ figure, statistics: { claims } }: FigureData): readonly Tile[] {
  const count = (verdict: Verdict): number => claims.filter((claim) => claim.verdict === verdict).length;
  const ran = figure.curves.filter(({ kind }) => kind !== 'reported');
  return [
    ...(claims.length === 0
      ? []
      : [
          {
            name: 'claims that agree',
            value: `${count('agrees')} of ${claims.length}`,
            note: `${count('disagrees')} disagree, ${count('undecided')} undecided`,
          },
        ]),
    {
      name: 'curves',
      value: String(ran.length),
      note: `${figure.curves.length - ran.length} more reported`,
    },
    { name: 'seeds', value: String(figure.seeds.length), note: figure.seeds.join(', ') },
    { name: 'time of all runs', value: clock(figure.seconds), note: 'summed, side by side or not' },
  ];
}

function grid(figures: readonly Drawn[]): Html {
  return html`<div class="figures">${figures.map(figureHtml)}</div>`;
}

function section(title: string, body: Html | null): Html {
  return body === null ? html`` : html`<h2>${title}</h2>\n${body}\n`;
}

function claimsHtml({ statistics: { claims } }: FigureData): Html | null {
  if (claims.length === 0) return null;
  return html`<p class="note">Top-1 of one curve minus the other's at equal cost, paired by seed, mean ± standard error. Undecided:
within two standard errors of zero, or fewer than two seeds.</p>${claimsTable(claims)}`;
}

function comparisonsHtml({ statistics: { comparisons } }: FigureData): Html | null {
  if (comparisons.length === 0) return null;
  return html`<p class="note">Points of top-1, paired by seed, interpolated along the logarithm of the cost within the range that both curves cover; nothing
is extrapolated. The area between the curves is the mean difference over that range.</p>${comparisonsTable(comparisons)}`;
}

function costsHtml({ statistics: { costs } }: FigureData): Html | null {
  if (costs.length === 0) return null;
  return html`<p class="note">Everything from the seed network to the largest network of each seed. Training steps: fit and search in steps of the
seed network, timed in the same run.</p>${costsTable(costs)}`;
}

function indicesHtml({ indices }: FigurePageParts): Html | null {
  if (indices.length === 0) return null;
  return html`${indices.map(({ name, figures }) => html`<details><summary>${name}</summary>${grid(figures)}</details>\n`)}`;
}

function experimentsHtml({ runs }: FigureData): Html {
  const missing = runs.flatMap((run) => (run.missing === null ? [] : [`${nameOf(run)}: ${run.missing}`]));
  return html`${missing.map((text) => html`<p class="note bad">${text}</p>\n`)}${runs.map((run) => experimentHtml(nameOf(run), run.experiment))}`;
}

/** What a run is called among its figure's. */
export function nameOf({
  panel,
  label,
  seed,
}: {
  readonly panel: string;
  readonly label: string;
  readonly seed: number;
}): string {
  return [panel, label, `seed ${seed}`].filter((part) => part !== '').join(' · ');
}

export function figurePage(parts: FigurePageParts): string {
  const { data, plots, notDrawn, widths, made } = parts;
  const { figure, runs, statistics } = data;
  const facts = [...Object.entries(figure.versions), ...Object.entries(figure.machine)].map(
    ([name, value]) => [name, String(value)] as const,
  );
  return shell({
    title: figure.title,
    eyebrow: `splitgrow reproduce ${figure.id} · ${figure.paper}`,
    lead: html`<p>Scale ${figure.scale}: ${figure.note}</p>`,
    body: html`${tilesHtml(tilesOf(data))}
${section('Claims', claimsHtml(data))}
<h2>Figures</h2>
${grid(plots)}
${notDrawn.map((text) => html`<p class="note">${text}.</p>\n`)}
<h2>Curves by stage</h2>
${curvesTable(statistics.stages)}
${section('At equal cost', comparisonsHtml(data))}
${section('What the search cost', costsHtml(data))}
${section('Widths of the layers', widths.length === 0 ? null : grid(widths))}
${section('Splitting indices', indicesHtml(parts))}
${section('Budgets and certificates', runCertificatesTable(runs))}
${section('Experiments, defaults filled in', runs.length === 0 ? null : experimentsHtml(data))}
<h2>Machine and versions</h2>
${factsTable([...facts, ['time of all runs, summed', clock(figure.seconds)], ['report made', made]])}`,
  });
}
