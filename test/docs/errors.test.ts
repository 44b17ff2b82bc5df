// The reference's table of error codes is the table in lib/errors.ts.
import { expect, test } from 'vitest';
import { CODES } from '../../lib/errors.js';
import { codeSpans, pages, tableOf } from './pages.js';

test.each([1, 2])('the reference lists every code of exit code %i with its meaning, in order', (exit) => {
  const listed = tableOf('docs/reference.md', `errors ${exit}`).map(([code, means]) => [code, means]);
  const known = Object.entries(CODES).filter(([, row]) => row.exit === exit);
  expect(listed).toEqual(known.map(([code, { means }]) => [`\`${code}\``, means]));
});

test('every code that a page names exists', () => {
  const named = pages().flatMap(({ path, text }) =>
    codeSpans(text)
      .filter((span) => /^E_[A-Z_]+$/.test(span))
      .map((code) => ({ path, code })),
  );
  expect(named.filter(({ code }) => !Object.hasOwn(CODES, code))).toEqual([]);
});
