// Results of the quality gates: each gate writes one JSON file, from which docs/contributing.md gets its table.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './steps.mjs';

export const RESULTS = join(ROOT, 'benchmarks', 'results', 'quality');

/** The recorded result of a gate, or null where there is none. */
export function resultOf(gate) {
  const file = join(RESULTS, `${gate}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}

/** Writes what `next` makes of the result recorded before. */
export function recordResult(gate, next) {
  mkdirSync(RESULTS, { recursive: true });
  const text = JSON.stringify(next(resultOf(gate)), null, 2);
  writeFileSync(join(RESULTS, `${gate}.json`), `${text}\n`);
}

export function today() {
  return new Date().toISOString().slice(0, 10);
}

/** The machine that gave a number, in a few words. */
export function machine() {
  const model = (cpus()[0]?.model ?? 'unknown').replace(/\s+/g, ' ').trim();
  return `${model}, ${availableParallelism()} cores, Node.js ${process.versions.node}`;
}
