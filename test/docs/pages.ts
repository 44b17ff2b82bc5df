// The Markdown pages of the repository, and the code blocks, tables and links in them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../data/places.js';

export interface Page {
  /** Path from the repository's root. */
  readonly path: string;
  readonly text: string;
}

export interface Block {
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** What the HTML comments right above it say, such as `not run`: why. */
  readonly marks: ReadonlyMap<string, string>;
}

const FOLDERS = ['.', 'docs', 'benchmarks', 'benchmarks/results'];

/** Every page, results that a benchmark has written included. */
export function pages(): readonly Page[] {
  return FOLDERS.flatMap((folder) => {
    const names = existsSync(join(ROOT, folder)) ? readdirSync(join(ROOT, folder)) : [];
    return names
      .filter((name) => name.endsWith('.md'))
      .map((name) => {
        const path = join(folder, name);
        return { path, text: readFileSync(join(ROOT, path), 'utf8') };
      });
  });
}

export function pageOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

const FENCE = /^```(\w*)\s*$/;
const MARK = /^<!-- (file|not run|part of|prints|run|run with)(?:: (.*))? -->$/;

/** Marks in the lines right above a line. */
function marksAbove(lines: readonly string[], at: number): ReadonlyMap<string, string> {
  const marks = new Map<string, string>();
  for (let above = at - 1; above >= 0; above -= 1) {
    const [, name, text = ''] = MARK.exec(lines[above] ?? '') ?? [];
    if (name === undefined) return marks;
    marks.set(name, text);
  }
  return marks;
}

/** Fenced code blocks of every page, in order. */
export function allBlocks(): readonly Block[] {
  return pages().flatMap(({ path, text }) => {
    const lines = text.split('\n');
    const found: Block[] = [];
    let open: number | null = null;
    lines.forEach((line, at) => {
      const fence = FENCE.exec(line);
      if (fence === null) return;
      if (open === null) open = at;
      else {
        const language = FENCE.exec(lines[open] ?? '')?.[1] ?? '';
        const code = lines.slice(open + 1, at).join('\n');
        found.push({ page: path, line: open + 1, language, code, marks: marksAbove(lines, open) });
        open = null;
      }
    });
    if (open !== null) throw new Error(`${path}: a code block does not end`);
    return found;
  });
}

/** Fenced code blocks, by language. */
export function blocks(language: string): readonly Block[] {
  return allBlocks().filter((block) => block.language === language);
}

/** Cells of the Markdown table between <!-- name --> and <!-- /name -->, its two head lines left out. */
export function tableOf(page: string, name: string): readonly (readonly string[])[] {
  const inner = pageOf(page).split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0];
  if (inner === undefined)
    throw new Error(`${page}: no table between <!-- ${name} --> and <!-- /${name} -->`);
  return inner.trim().split('\n').slice(2).map(cellsOf);
}

/** Cells of a row, with or without the outer bars. */
export function cellsOf(line: string): readonly string[] {
  return line
    .replace(/^\s*\|/, '')
    .replace(/\|\s*$/, '')
    .split('|')
    .map((cell) => cell.trim());
}

/** The text of `code` spans. */
export function codeSpans(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}
