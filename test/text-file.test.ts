import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readText } from '../lib/text-file.js';

test('a file gives its text, no file null, and what cannot be read is E_FILE with its path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-text-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'a.txt');
  expect(await readText(file)).toBeNull();
  writeFileSync(file, 'words');
  expect(await readText(file)).toBe('words');
  await expect(readText(folder)).rejects.toMatchObject({
    code: 'E_FILE',
    message: expect.stringMatching(
      new RegExp(`^${folder}: expected a readable file; expected a file, found a directory`),
    ),
  });
});
