import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { decodeText, readJsonFile, readText } from '../../../lib/machine/files/text-file.js';
import { messageOf } from '../../reference.js';

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-text-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'a.txt');
}

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

const MARK = [0xef, 0xbb, 0xbf];

test.each<[what: string, bytes: readonly number[], text: string]>([
  ['a byte order mark', [...MARK, 0x61], 'a'],
  ['two of them, of which the second is text', [...MARK, ...MARK], '\ufeff'],
  ['no byte', [], ''],
  ['two bytes of a mark at the end of one', [0xc3, 0xa9], 'é'],
  ['four bytes of a character', [0xf0, 0x9f, 0x98, 0x80], '😀'],
])('text: %s', (_what, bytes, text) => {
  expect(decodeText(Buffer.from(bytes))).toBe(text);
});

test.each<[what: string, bytes: readonly number[], says: string]>([
  ['Latin-1 in the second line', [0x61, 0x0a, 0x62, 0xe9, 0x0a, 0xff], 'line 2 is in another encoding'],
  ['a character that is cut off by a line', [0xc3, 0x0a, 0xa9], 'line 1 is in another encoding'],
  ['one that the file cuts off', [0x61, 0x0a, 0x0a, 0xf0, 0x9f], 'line 3 is in another encoding'],
  ['half a surrogate pair', [0xed, 0xa0, 0x80], 'line 1 is in another encoding'],
  ['an overlong slash', [0xc0, 0xaf], 'line 1 is in another encoding'],
  ['UTF-16, little-endian', [0xff, 0xfe, 0x61, 0], 'found UTF-16'],
  ['UTF-16, big-endian', [0xfe, 0xff, 0, 0x61], 'found UTF-16'],
  ['UTF-32', [0xff, 0xfe, 0, 0, 0x61, 0, 0, 0], 'found UTF-32'],
])('no text: %s', (_what, bytes, says) => {
  expect(messageOf(() => decodeText(Buffer.from(bytes)))).toBe(
    `expected text in UTF-8, ${says}; save the file as UTF-8`,
  );
});

test('a file of JSON gives its value, with a byte order mark too, and no file gives undefined', async () => {
  const file = temporaryFile();
  expect(await readJsonFile(file, { code: 'E_PLAN' })).toBeUndefined();
  writeFileSync(file, Buffer.from([...MARK, ...Buffer.from('{"a": [1, null]}')]));
  expect(await readJsonFile(file, { code: 'E_PLAN' })).toEqual({ a: [1, null] });
});

test.each([
  ['a name twice', Buffer.from('{"a": {"b": 1, "\\u0062": 2}}'), 'the name "b" is given twice'],
  ['another encoding', Buffer.from('{"a": "é"}', 'latin1'), 'expected text in UTF-8, line 1'],
  ['no JSON', Buffer.from("{'a': 1}"), 'expected JSON; '],
])('a file of JSON with %s is refused with the code and the remedy', async (_what, bytes, says) => {
  const file = temporaryFile();
  writeFileSync(file, bytes);
  await expect(readJsonFile(file, { code: 'E_PLAN', remedy: 'write it again' })).rejects.toMatchObject({
    code: 'E_PLAN',
    message: expect.stringMatching(new RegExp(`^${file}: expected JSON; .*; write it again$`)),
  });
  await expect(readJsonFile(file, { code: 'E_PLAN' })).rejects.toThrow(says);
});
