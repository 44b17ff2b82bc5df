// Folders of picture files for tests.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '../../run/tiny.js';

/** A new folder with these files. */
export function writePictures(files: Readonly<Record<string, Uint8Array>>): string {
  const root = temporaryFolder();
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
  }
  return root;
}
