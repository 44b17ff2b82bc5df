// Indexing reads every image's header once, in parallel. It goes on where it was stopped, and reads only changed files again.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../errors.js';
import { writeFileAtomic } from '../../machine/files/atomic.js';
import { withLock } from '../../machine/files/lease.js';
import { note, refuseAborted, underControl } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import type { ImageHeaders, OnProgress, ScanOptions } from '../../native/face.js';
import { loadImageCore } from '../../native/load.js';
import { integer, oneLine } from '../../statistics/format.js';
import {
  copyRow,
  emptyTable,
  type IndexLimits,
  type IndexTable,
  indexPath,
  readIndex,
  removeParts,
  siblings,
  writeIndex,
} from './index-file.js';
import type { FileProblem } from './walk.js';
import { withKinds } from './what-it-is.js';

export interface IndexOptions extends IndexLimits {
  readonly threads: number;
  /** Decode every image as well: finds truncated and damaged ones, and what the decoder warns of. */
  readonly decode: boolean;
}

export interface Indexed {
  readonly file: string;
  /** One row a path, in the order given. */
  readonly table: IndexTable;
  /** Files that were read now. The others had not changed since the index was made. */
  readonly scanned: number;
  readonly problems: readonly FileProblem[];
  /** Images that are used although the decoder warns of them. Only decoded images are known to have warnings. */
  readonly warnings: readonly FileProblem[];
  /** Where the problems are listed; null where there are none. */
  readonly problemsFile: string | null;
}

/** The native scan; tests put another in its place. */
export type Scan = (
  root: string,
  paths: readonly string[],
  options: ScanOptions,
  control: RunControl,
  whole: { readonly done: number; readonly total: number },
) => Promise<ImageHeaders>;

/** How an index is made. Tests set it. */
interface Means {
  readonly control?: RunControl;
  readonly scan?: Scan;
  /** How many images are read between two writes of the index. */
  readonly chunk?: number;
}

const PLACE = { stage: 0, phase: 'load', epoch: 0, epochs: 1 } as const;
const CHUNK = 20_000;
/** How many files are looked at at the same time. More does not help, because Node.js has few threads. */
const AT_ONCE = 64;
const STATS_BETWEEN_EVENTS = 2_000;

const scanNatively: Scan = (root, paths, options, control, { done, total }) =>
  underControl(control, PLACE, (progress: OnProgress | null, abort) =>
    loadImageCore().scanImages(
      { root, paths, labels: new Int32Array(paths.length) },
      options,
      progress &&
        ((reported) => progress({ ...reported, done: done + reported.done, total, loss: Number.NaN })),
      abort,
    ),
  );

/** Writes sizes and times of all files into the table. Missing files get a reason. */
async function statAll(
  root: string,
  table: ReturnType<typeof emptyTable>,
  control: RunControl,
): Promise<void> {
  const { paths } = table;
  let next = 0;
  const begun = performance.now();
  const work = async (): Promise<void> => {
    for (let row = next++; row < paths.length; row = next++) {
      refuseAborted(control);
      if (row % STATS_BETWEEN_EVENTS === STATS_BETWEEN_EVENTS - 1) {
        const seconds = (performance.now() - begun) / 1000;
        const progress = { phase: 'scan', done: row, total: paths.length, images: row, seconds } as const;
        control.onEvent?.({ type: 'progress', ...PLACE, progress: { ...progress, loss: Number.NaN } });
      }
      try {
        const { size, mtimeMs } = await stat(join(root, paths[row] ?? ''));
        table.bytes[row] = size;
        table.mtimes[row] = mtimeMs;
      } catch (error) {
        table.mtimes[row] = Number.NaN;
        table.reasons.set(row, reasonOf(error));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Rows that earlier indexes know, unchanged since, are taken from there. @returns the rows that are left */
function takeKnown(
  table: ReturnType<typeof emptyTable>,
  known: readonly IndexTable[],
  { decode }: IndexOptions,
): readonly number[] {
  // Each row keeps one number that counts through all sources. A pair of numbers would take several times the memory.
  const rowOf = new Map<string, number>();
  const starts: number[] = [];
  let rows = 0;
  for (const { paths } of known) {
    starts.push(rows);
    for (const path of paths) rowOf.set(path, rows++);
  }
  const left: number[] = [];
  table.paths.forEach((path, row) => {
    if (Number.isNaN(table.mtimes[row])) return;
    const at = rowOf.get(path) ?? -1;
    const which = starts.filter((start) => start <= at).length - 1;
    const source = known[which];
    const from = at - (starts[which] ?? 0);
    const isSame =
      source?.bytes[from] === table.bytes[row] &&
      source?.mtimes[from] === table.mtimes[row] &&
      (!decode || source?.decoded[from] === 1);
    if (source !== undefined && isSame) copyRow(source, from, table, row);
    else left.push(row);
  });
  return left;
}

/** What a scan found out about some rows. */
function tableOf(
  all: IndexTable,
  rows: readonly number[],
  headers: ImageHeaders,
  decode: boolean,
): ReturnType<typeof emptyTable> {
  const made = emptyTable(rows.map((row) => all.paths[row] ?? ''));
  const reasons = new Map(headers.problems.map(({ index, reason }) => [index, oneLine(reason)]));
  for (const { index, reason } of headers.warnings) made.reasons.set(index, oneLine(reason));
  rows.forEach((row, i) => {
    made.bytes[i] = all.bytes[row] ?? 0;
    made.mtimes[i] = all.mtimes[row] ?? 0;
    made.decoded[i] = decode ? 1 : 0;
    made.kinds[i] = reasons.has(i) ? 0 : (headers.kinds[i] ?? 0);
    made.widths[i] = headers.widths[i] ?? 0;
    made.heights[i] = headers.heights[i] ?? 0;
    made.orientations[i] = headers.orientations[i] ?? 0;
    made.channels[i] = headers.channels[i] ?? 0;
    if (made.kinds[i] === 0) made.reasons.set(i, reasons.get(i) ?? 'cannot be read');
  });
  return made;
}

async function build(
  root: string,
  paths: readonly string[],
  file: string,
  { options, control, scan, chunk }: Required<Means> & { readonly options: IndexOptions },
): Promise<{ readonly table: IndexTable; readonly scanned: number }> {
  const { newPart, parts: listParts } = siblings(file);
  const table = emptyTable(paths);
  await statAll(root, table, control);
  const before = await readIndex(file, options);
  const parts = await listParts();
  const unfinished = await Promise.all(parts.map((part) => readIndex(part, options)));
  const known = [before, ...unfinished].filter((one) => one !== null);
  const left = takeKnown(table, known, options);
  const written = [...parts];
  for (let from = 0; from < left.length; from += chunk) {
    const rows = left.slice(from, from + chunk);
    const chosen = rows.map((row) => paths[row] ?? '');
    const whole = { done: from, total: left.length };
    const headers = await scan(root, chosen, options, control, whole);
    const problems = await withKinds(headers.problems, root, chosen);
    const made = tableOf(table, rows, { ...headers, problems }, options.decode);
    rows.forEach((row, i) => {
      copyRow(made, i, table, row);
    });
    if (from + chunk >= left.length) break;
    const part = newPart();
    await writeIndex(part, made, options);
    written.push(part);
  }
  const isSame =
    before?.paths.length === paths.length && before.paths.every((path, row) => path === paths[row]);
  if (left.length > 0 || !isSame) await writeIndex(file, table, options);
  await removeParts(written);
  return { table, scanned: left.length };
}

/**
 * Headers of all images below a root, read now or known from the index, which is written beside them or into the cache.
 * Bad files are problems, listed in a file next to the index. Another process that indexes the same folder is waited for.
 *
 * @throws E_ABORTED; what was found out by then is kept. E_WRITE where the index cannot be written
 */
export async function indexImages(
  root: string,
  paths: readonly string[],
  options: IndexOptions,
  { control = {}, scan = scanNatively, chunk = CHUNK }: Means = {},
): Promise<Indexed> {
  const file = await indexPath(root);
  const { lock, problems: list } = siblings(file);
  return withLock(
    lock,
    async () => {
      const { table, scanned } = await build(root, paths, file, { options, control, scan, chunk });
      const told = [...table.reasons].sort(([a], [b]) => a - b);
      const filesWhere = (isWanted: (row: number) => boolean): readonly FileProblem[] =>
        told.filter(([row]) => isWanted(row)).map(([row, reason]) => ({ path: paths[row] ?? '', reason }));
      const problems = filesWhere((row) => table.kinds[row] === 0);
      const warnings = filesWhere((row) => table.kinds[row] !== 0);
      if (problems.length > 0 && scanned > 0)
        await writeFileAtomic(
          list,
          problems.map(({ path, reason }) => `${oneLine(path)}\t${reason}\n`).join(''),
        );
      const problemsFile = problems.length > 0 ? list : null;
      return { file, table, scanned, problems, warnings, problemsFile };
    },
    {
      signal: control.signal,
      onWait: (owner) =>
        note(
          control,
          0,
          'load',
          `waiting for process ${owner?.pid ?? 'of another machine'} that indexes ${root} (${integer(paths.length)} images)`,
        ),
    },
  );
}
