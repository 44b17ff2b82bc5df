// Fuzz target: an experiment file, checked as a whole. What is accepted is accepted again with every default written out.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readExperiment } from '../../lib/run/spec/spec.js';
import { folderOf, onlyRefusals } from './outcome.js';

const FOLDER = folderOf('experiment');
const INPUT = join(FOLDER, 'experiment.json');
const AGAIN = join(FOLDER, 'again.json');

/** The repository's experiments; the process runs in its root. */
const EXAMPLES = 'experiments';

export async function fuzz(bytes: Buffer): Promise<void> {
  writeFileSync(INPUT, bytes);
  await onlyRefusals(async () => {
    const spec = await readExperiment(INPUT);
    writeFileSync(AGAIN, JSON.stringify(spec));
    assert.equal(JSON.stringify(await readExperiment(AGAIN)), JSON.stringify(spec));
  });
}

export async function seeds(): Promise<readonly Uint8Array[]> {
  return readdirSync(EXAMPLES)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readFileSync(join(EXAMPLES, name)))
    .filter(({ length }) => length <= 4_096);
}

export function words(): readonly string[] {
  const text = readFileSync(join('docs', 'reference.md'), 'utf8');
  const fields = [...text.matchAll(/`(?:[\w[\]]+\.)*([a-z]\w*)`/gi)].map((match) => `"${match[1]}":`);
  return [...new Set(fields), 'true', 'false', 'null', '1e999', '-1', '{}', '[]'];
}
