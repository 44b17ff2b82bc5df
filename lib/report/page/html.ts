// HTML as a tagged template, which escapes what is put in unless it is HTML already, and the parts that all pages share.
import { oneLine } from '../../statistics/format.js';

/** Text that is HTML by construction. */
export interface Html {
  readonly html: string;
}
type Part = Html | string | number | null | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function render(part: Part): string {
  if (part === null || part === undefined) return '';
  if (typeof part === 'string') return escapeHtml(oneLine(part));
  if (typeof part === 'number') return String(part);
  return 'html' in part ? part.html : part.map(render).join('');
}

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.map((text, at) => text + render(parts[at])).join('') };
}

/** Text over several lines, escaped, its line breaks kept. */
function preformatted(text: string): Html {
  return { html: escapeHtml(text) };
}

/** HTML that was made elsewhere by construction (SVG, styles). */
export function trusted(text: string): Html {
  return { html: text };
}

export interface HtmlColumn<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string | Html;
  readonly isNumber?: boolean;
  /** Sentences: its lines break. */
  readonly isText?: boolean;
}

/** Buttons that copy the table below them; the page's script shows them. */
const COPY = trusted(
  '<div class="copy"><button type="button" data-copy="markdown">Markdown</button><button type="button" data-copy="csv">CSV</button></div>',
);

/** The frame of a table: it scrolls sideways where the page is too narrow, and can be copied. */
function tableFrame(table: Html): Html {
  return html`<div class="table">${COPY}<div class="scroll" tabindex="0" role="region" aria-label="table">${table}</div></div>`;
}

/** A table of `rows`, one column each of `columns`. */
export function htmlTable<Row>(
  columns: readonly HtmlColumn<Row>[],
  rows: readonly Row[],
  rowClass?: (row: Row) => string,
): Html {
  const attribute = ({ isNumber, isText }: HtmlColumn<Row>): Html =>
    trusted(isNumber === true ? ' class="n"' : isText === true ? ' class="text"' : '');
  const head = columns.map((column) => html`<th scope="col"${attribute(column)}>${column.title}</th>`);
  const body = rows.map(
    (row) =>
      html`<tr class="${rowClass?.(row) ?? ''}">${columns.map((column) => html`<td${attribute(column)}>${column.cell(row)}</td>`)}</tr>\n`,
  );
  return tableFrame(html`<table><thead><tr>${head}</tr></thead><tbody>\n${body}</tbody></table>`);
}

/** A table of names and values. */
export function factsTable(facts: readonly (readonly [name: string, value: string])[]): Html {
  return tableFrame(
    html`<table class="facts"><tbody>${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>\n`)}</tbody></table>`,
  );
}

/** A number that the page begins with. */
export interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

export function tilesHtml(tiles: readonly Tile[]): Html {
  if (tiles.length === 0) return html``;
  return html`<dl class="tiles">${tiles.map(
    ({ name, value, note }) =>
      html`<div class="tile"><dt>${name}</dt><dd><div class="value">${value}</div><div class="note">${note}</div></dd></div>\n`,
  )}</dl>`;
}

/** An experiment file, folded away. */
export function experimentHtml(summary: string, experiment: unknown): Html {
  return html`<details><summary>${summary}</summary><pre tabindex="0">${preformatted(JSON.stringify(experiment, null, 2))}</pre></details>\n`;
}
