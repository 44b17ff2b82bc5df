// How an experiment file names its JSON Schema. Editors use it.
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SCHEMA_FOLDER } from '../spec/schema/files.js';

const NAME = 'experiment.schema.json';

function asPath(from: string, to: string): string {
  const path = relative(from, to);
  return path.startsWith('.') ? path : `./${path}`;
}

/**
 * The value of `"$schema"` for a file: the schema in node_modules of its folder or of one above it, else the package's own by
 * a path where it lies below the working directory, and by a URL elsewhere.
 */
export function schemaReference(file: string): string {
  const folder = dirname(resolve(file));
  for (let at = folder; ; at = dirname(at)) {
    const found = join(at, 'node_modules', 'splitgrow', 'schema', NAME);
    if (existsSync(found)) return asPath(folder, found);
    if (dirname(at) === at) break;
  }
  const own = join(SCHEMA_FOLDER, NAME);
  const isNear =
    !relative(process.cwd(), own).startsWith('..') && !relative(process.cwd(), folder).startsWith('..');
  return isNear ? asPath(folder, own) : pathToFileURL(own).href;
}
