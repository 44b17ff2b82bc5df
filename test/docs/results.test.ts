import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';

test("every table of docs/results.md says what the kept figures' summaries say", async () => {
  // Plain JavaScript, without types of its own.
  const script: { PAGE: string; withTables: (text: string) => string } = await import(
    join(ROOT, 'scripts', 'results.mjs')
  );
  const text = readFileSync(script.PAGE, 'utf8');
  expect(text.match(/<!-- end -->/g)?.length).toBeGreaterThan(5);
  expect(script.withTables(text)).toBe(text);
});
