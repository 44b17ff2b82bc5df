// Writes what bench splitting leaves in its folder: numbers, tables, plots, and a page of both that fetches nothing.
import { join } from 'node:path';
import type { SplittingBenchDocument } from '../../bench/documents.js';
import { writeFileAtomic } from '../../machine/files/atomic.js';
import { seconds } from '../../statistics/format.js';
import { type Drawn, draw, figureHtml } from '../page/figure.js';
import { writeJson } from '../page/files.js';
import { factsTable, type Html, html, htmlTable } from '../page/html.js';
import { shell } from '../page/shell.js';
import { standaloneSvg } from '../page/svg.js';
import { howText, noteLines, PART_COLUMNS, SEARCH_COLUMNS, STEP_COLUMNS, settingText } from './columns.js';
import { splittingCsv } from './csv.js';
import { splittingMarkdown } from './markdown.js';
import { splittingPlots } from './plots.js';
import { AUTO_COLUMNS, AUTO_TEXT, WHOLE_COLUMNS, wholeLines, wholeRows, wholeText } from './wholes.js';

const list = (lines: readonly string[]): Html =>
  html`<ul>${lines.map((line) => html`<li>${line}</li>\n`)}</ul>`;

function partsHtml({ parts }: SplittingBenchDocument): Html {
  if (parts === null) return html``;
  return html`<h2>Parts of the network of width ${parts.width}</h2>\n${htmlTable(PART_COLUMNS, parts.points)}`;
}

function wholesHtml(document: SplittingBenchDocument): Html {
  const rows = wholeRows(document);
  if (rows.length === 0) return html``;
  return html`<h2>Every method, measured as a whole</h2>
<p class="note">${wholeText(document)}</p>
${htmlTable(WHOLE_COLUMNS, rows)}`;
}

function splittingPage(document: SplittingBenchDocument, plots: readonly Drawn[]): string {
  const { points, machine, isComplete } = document;
  const facts = [...Object.entries(machine), ['seconds of everything', seconds(document.seconds)] as const];
  return shell({
    title: 'Exact against fast splitting',
    eyebrow: 'splitgrow bench splitting · Figure 5 (b)',
    lead: html`<p>${settingText(document)}.${isComplete ? '' : ' Incomplete: the work goes on, or was stopped.'}</p>`,
    body: html`${list([...noteLines(document), ...wholeLines(document)])}
<p class="note">${howText(document)}</p>
<div class="figures">${plots.map(figureHtml)}</div>
<h2>Steps, measured</h2>
${htmlTable(STEP_COLUMNS, points)}
<h2>Whole searches: seconds scaled, memory measured</h2>
${htmlTable(SEARCH_COLUMNS, points)}
${wholesHtml(document)}
<h2>What auto chooses</h2>
<p class="note">${AUTO_TEXT}</p>
${htmlTable(AUTO_COLUMNS, points)}
${partsHtml(document)}
<h2>Machine and versions</h2>
${factsTable(facts)}`,
  });
}

/** splitting.json, .csv, .md, .html, and a .svg a plot; each replaced as a whole. @returns their paths */
export async function writeSplittingBench(
  document: SplittingBenchDocument,
  folder: string,
): Promise<readonly string[]> {
  const at = (name: string): string => join(folder, name);
  const plots = await draw(splittingPlots(document));
  const texts = {
    'splitting.csv': splittingCsv(document),
    'splitting.md': splittingMarkdown(document),
    'splitting.html': splittingPage(document, plots),
    ...Object.fromEntries(plots.map(({ id, svg }) => [`${id}.svg`, standaloneSvg(svg)])),
  };
  const json = await writeJson(at('splitting.json'), document);
  for (const [name, text] of Object.entries(texts)) await writeFileAtomic(at(name), text);
  return [json, ...Object.keys(texts).map(at)];
}
