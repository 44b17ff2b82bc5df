// Folders of files for tests of layouts and indexes.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { IndexTable } from '../../../lib/data/images/index-file.js';
import type { Scan } from '../../../lib/data/images/index-images.js';
import type { Listing } from '../../../lib/data/images/layout.js';
import { temporaryFolder } from '../../run/tiny.js';

/** A folder with these files, by path; a content of `{ link }` makes a link instead. */
export function folderOf(files: Readonly<Record<string, string | { readonly link: string }>>): string {
  const root = temporaryFolder();
  addFiles(root, files);
  return root;
}

export function addFiles(
  root: string,
  files: Readonly<Record<string, string | { readonly link: string }>>,
): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (typeof content === 'string') writeFileSync(join(root, path), content);
    else symlinkSync(content.link, join(root, path));
  }
}

/** The files of a part with the folders of their classes. */
export function classesOf(listing: Listing, part: 'train' | 'test'): Record<string, string> {
  const { paths, labels } = listing[part];
  return Object.fromEntries(paths.map((path, at) => [path, listing.classes[labels[at] ?? -1] ?? 'none']));
}

/** Scans by what the files say: "bad" is a file that cannot be read, anything else an image as wide as the file is long. */
export function madeUpScan(asked: string[][], content: (path: string) => string): Scan {
  return async (_root, paths) => {
    asked.push([...paths]);
    const texts = paths.map(content);
    const of = (value: (text: string) => number): number[] => texts.map(value);
    return {
      kinds: Uint8Array.from(of((text) => (text === 'bad' ? 0 : 1))),
      widths: Int32Array.from(of((text) => text.length)),
      heights: Int32Array.from(of(() => 7)),
      bytes: Float64Array.from(of((text) => text.length)),
      orientations: Uint8Array.from(of(() => 1)),
      channels: Uint8Array.from(of(() => 3)),
      problems: texts.flatMap((text, index) => (text === 'bad' ? [{ index, reason: 'is bad' }] : [])),
      warnings: texts.flatMap((text, index) => (text === 'odd' ? [{ index, reason: 'is odd' }] : [])),
    };
  };
}

export function columnsOf({ paths, widths, kinds, decoded, reasons }: IndexTable) {
  return {
    paths: [...paths],
    widths: [...widths],
    kinds: [...kinds],
    decoded: [...decoded],
    reasons: Object.fromEntries(reasons),
  };
}
