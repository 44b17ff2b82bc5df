// splitting.html: plots and tables of bench splitting on one page that fetches nothing.

import type { SplittingBenchDocument } from '../../bench/documents.js';
import { seconds } from '../../statistics/format.js';
import { type Html, html, htmlTable } from '../page/html.js';
import { shell } from '../page/shell.js';
import { type Drawn, figureHtml } from '../run/page.js';
import { factsTable } from '../run/tables.js';
import { AUTO_COLUMNS, howText, noteLines, PART_COLUMNS, SEARCH_COLUMNS, STEP_COLUMNS } from './columns.js';
import { settingText } from './markdown.js';

const list = (lines: readonly string[]): Html =>
  html`<ul>${lines.map((line) => html`<li>${line}</li>\n`)}</ul>`;

function partsHtml({ parts }: SplittingBenchDocument): Html {
  if (parts === null) return html``;
  return html`<h2>Parts of the network of width ${parts.width}</h2>\n${htmlTable(PART_COLUMNS, parts.points)}`;
}

export function splittingPage(document: SplittingBenchDocument, plots: readonly Drawn[]): string {
  const { points, machine, isComplete } = document;
  const facts = [...Object.entries(machine), ['seconds of everything', seconds(document.seconds)] as const];
  return shell({
    title: 'Exact against fast splitting',
    eyebrow: 'splitgrow bench splitting · Figure 5 (b)',
    lead: html`<p>${settingText(document)}.${isComplete ? '' : ' Incomplete: the work goes on, or was stopped.'}</p>`,
    body: html`${list(noteLines(document))}
<p class="note">${howText(document)}</p>
<div class="figures">${plots.map(figureHtml)}</div>
<h2>Steps, measured</h2>
${htmlTable(STEP_COLUMNS, points)}
<h2>Whole searches: seconds scaled, memory measured</h2>
${htmlTable(SEARCH_COLUMNS, points)}
<h2>What auto chooses</h2>
<p class="note">Layers by method; its seconds over those of the better of exact and fast; what its cost model expects of the two, and what was found.</p>
${htmlTable(AUTO_COLUMNS, points)}
${partsHtml(document)}
<h2>Machine and versions</h2>
${factsTable(facts)}`,
  });
}
