// Tables for people: aligned columns, coloured on a terminal, plain and stable under a pipe.
import Table from 'cli-table3';
import pico from 'picocolors';
import { oneLine } from '../statistics/format.js';

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly accent: (text: string) => string;
  /** Output goes to a terminal: bars that repeat a number are drawn too. */
  readonly isTerminal: boolean;
}

/** Colours only where a person looks: on a terminal, and not when NO_COLOR is set. */
export function styleOf(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Style {
  const isTerminal = stream.isTTY === true && env.TERM !== 'dumb';
  const isColoured = isTerminal && (env.NO_COLOR ?? '') === '';
  const { bold, dim, green, red, cyan } = pico.createColors(isColoured);
  return { bold, dim, good: green, bad: red, accent: cyan, isTerminal };
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers are aligned to the right. */
  readonly isNumber?: boolean;
  readonly paint?: (style: Style, row: Row) => ((text: string) => string) | undefined;
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Rows that are laid out at once: the library's time grows as the square of them. */
const BLOCK = 64;

/** A header line and a line a row. The text is the same with and without colour. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], style: Style): string {
  const cells = [
    columns.map((column) => style.bold(column.title)),
    ...rows.map((row) =>
      columns.map((column) =>
        (column.paint?.(style, row) ?? ((plain: string) => plain))(oneLine(column.cell(row))),
      ),
    ),
  ];
  const blocks = Array.from({ length: Math.ceil(cells.length / BLOCK) }, (_, at) =>
    cells.slice(BLOCK * at, BLOCK * (at + 1)),
  );
  const drawn = (block: readonly string[][], widths: number[]) => {
    const made = new Table({
      colAligns: columns.map((column) => (column.isNumber === true ? 'right' : 'left')),
      colWidths: widths,
      chars: NO_LINES,
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    });
    made.push(...block);
    const text = made.toString();
    return { text, widths: made.options.colWidths };
  };
  // Laid out alone, each block says how wide its columns are; then each is drawn at the widths of the widest.
  const alone = blocks.map((block) => drawn(block, []));
  const widths = columns.map((_, at) => Math.max(...alone.map((block) => block.widths[at] ?? 0)));
  const texts = blocks.length === 1 ? alone : blocks.map((block) => drawn(block, [...widths]));
  return texts
    .flatMap(({ text }) => text.split('\n'))
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `name  value` lines. */
export function facts(pairs: readonly (readonly [name: string, value: string])[], style: Style): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${oneLine(value)}`).join('\n');
}
