// What lies beside report.html for other programs: JSON, CSV, and one SVG file a figure.
import { join } from 'node:path';
import { writeFileAtomic } from '../../machine/files/atomic.js';
import type { Drawn } from './figure.js';
import { standaloneSvg } from './svg.js';

/** Writes plots/<id>.svg of every figure; what else is there stays. @returns their paths */
export async function writePlots(directory: string, figures: readonly Drawn[]): Promise<readonly string[]> {
  const folder = join(directory, 'plots');
  for (const { id, svg } of figures) await writeFileAtomic(join(folder, `${id}.svg`), standaloneSvg(svg));
  return figures.map(({ id }) => join(folder, `${id}.svg`));
}

/** Writes `value` as indented JSON. @returns the path */
export async function writeJson(file: string, value: unknown): Promise<string> {
  await writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
  return file;
}

/** Quoted where needed; text that a spreadsheet would take for a formula is led by an apostrophe. */
function cell(value: string | number): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as comma-separated values, a line each. */
export function csv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\n`).join('');
}
