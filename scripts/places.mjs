// node scripts/places.mjs KIND NAME: every place that names an op, a cost, a rival or a field of the experiment. Where an existing one
// is named, a new one may have to be (docs/contributing.md).
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesIn, main, ROOT, StepError, say } from './steps.mjs';

/** By kind, the file whose table has a row of every name. */
const TABLES = {
  op: 'lib/graph/ops.ts',
  cost: 'lib/graph/cost.ts',
  rival: 'lib/rivals/table.ts',
  field: 'schema/experiment.schema.json',
};

/** Generated files are left out: schema/, the types made of it, and the tables of docs/. */
const GENERATED = 'lib/run/spec/experiment-input.ts';
const SOURCES = ['lib', 'native', 'benchmarks', 'scripts'];
const CODE = /\.(ts|mjs|cc|h|cu|cuh|inc|py)$/;

/** [file, line, text] of every line that has the name as a word, or as that of a constant; imports of files of that name left out. */
function linesWith(name, folders) {
  const constant = name.replaceAll('-', '_').toUpperCase();
  const word = new RegExp(`(?<![\\w/-])(${name}|${constant})(?![\\w-]|\\.js')`);
  const isWritten = (path) => CODE.test(path) && !path.endsWith(GENERATED);
  return filesIn(folders, isWritten).flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((text, at) => (word.test(text) ? [[relative(ROOT, path), at + 1, text.trim()]] : [])),
  );
}

/**
 * The lines of the sources and of the tests that name a thing. A field may be given by its path, such as fit.epochs.
 * Throws where there is no such kind, or the kind's table has no such name.
 */
export function placesOf(kind, path) {
  const table = TABLES[kind];
  const name = String(path).split('.').at(-1);
  if (!Object.hasOwn(TABLES, kind))
    throw new StepError(`expected op, cost, rival or field and a name, found "${kind}"`);
  if (
    !/^[\w-]+$/.test(name) ||
    !new RegExp(`["' ]${name}["']?:`).test(readFileSync(join(ROOT, table), 'utf8'))
  )
    throw new StepError(`expected a known ${kind} of ${table}, found "${path}"`);
  return { sources: linesWith(name, SOURCES), tests: linesWith(name, ['test']) };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const { sources, tests } = placesOf(process.argv[2], process.argv[3]);
    for (const [file, line, text] of [...sources, ...tests]) say(`${file}:${line}  ${text.slice(0, 100)}`);
    const files = (lines) => new Set(lines.map(([file]) => file)).size;
    say(
      `${files(sources)} files of the sources, ${files(tests)} of the tests; npm run check and the tests say what is missing`,
    );
  });
}
