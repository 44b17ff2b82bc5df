// splitting.md: the tables and what came out.

import type { SplittingBenchDocument } from '../../bench/documents.js';
import {
  howText,
  noteLines,
  PART_COLUMNS,
  SEARCH_COLUMNS,
  STEP_COLUMNS,
  settingText,
  type TextColumn,
} from './columns.js';
import { AUTO_COLUMNS, AUTO_TEXT, WHOLE_COLUMNS, wholeLines, wholeRows, wholeText } from './wholes.js';

function markdownTable<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ isNumber }) => (isNumber ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(({ cell }) => cell(row)))),
  ].join('\n');
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');

export function splittingMarkdown(document: SplittingBenchDocument): string {
  const { points, parts, machine, isComplete } = document;
  const notes = [...noteLines(document), ...wholeLines(document)];
  const rows = wholeRows(document);
  const sections = [
    '# Exact against fast splitting',
    'Written by `splitgrow bench splitting`; the next run replaces it.',
    `${settingText(document)}.`,
    howText(document),
    ...(isComplete ? [] : ['**Incomplete**: the work goes on, or was stopped.']),
    list(notes),
    '## Steps, measured',
    markdownTable(STEP_COLUMNS, points),
    '## Whole searches: seconds scaled, memory measured',
    markdownTable(SEARCH_COLUMNS, points),
    ...(rows.length === 0
      ? []
      : ['## Every method, measured as a whole', wholeText(document), markdownTable(WHOLE_COLUMNS, rows)]),
    '## What auto chooses',
    AUTO_TEXT,
    markdownTable(AUTO_COLUMNS, points),
    ...(parts === null
      ? []
      : [`## Parts of the network of width ${parts.width}`, markdownTable(PART_COLUMNS, parts.points)]),
    `Machine: ${Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join('; ')}.`,
  ];
  return `${sections.join('\n\n')}\n`;
}
