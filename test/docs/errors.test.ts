// The reference's table of error codes is the table in lib/errors.ts.
import { expect, test } from 'vitest';
import { CODES } from '../../lib/errors.js';
import { codeSpans, pages, tableOf } from './pages.js';

test('the reference lists every code with its exit code, meaning and remedy, in order', () => {
  const listed = tableOf('docs/reference.md', 'errors').map((cells) => cells.join(' | '));
  const known = Object.entries(CODES).map(
    ([code, { exit, means, remedy }]) => `\`${code}\` | ${exit} | ${means} | ${remedy}`,
  );
  expect(listed).toEqual(known);
});

test('every code that a page names exists', () => {
  const named = pages().flatMap(({ path, text }) =>
    codeSpans(text)
      .filter((span) => /^E_[A-Z_]+$/.test(span))
      .map((code) => ({ path, code })),
  );
  expect(named.filter(({ code }) => !Object.hasOwn(CODES, code))).toEqual([]);
});
