// The file of --class-names: encodings, line ends, JSON, names that come again, and what is refused with its line.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readClassNames } from '../../lib/cli/import.js';
import { failureOf } from '../data/places.js';
import { temporaryFolder } from '../run/tiny.js';

/** What the bytes of a file give, and the notes that were told. */
async function read(bytes: string | Buffer, name = 'names.txt') {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, bytes);
  const notes: string[] = [];
  const names = await readClassNames(file, {
    onEvent: (event) => void (event.type === 'note' && notes.push(event.text)),
  });
  return { names, notes };
}

test.each<[string, string | Buffer, readonly string[]]>([
  ['lines', 'cat\ndog\n', ['cat', 'dog']],
  ['no end of the last line', 'cat\ndog', ['cat', 'dog']],
  ['a byte order mark', '\ufeffcat\ndog\n', ['cat', 'dog']],
  ['line ends of Windows and of old Macs', 'cat\r\ndog\rhen\r\n', ['cat', 'dog', 'hen']],
  ['blanks around names, and empty lines at the end', ' cat \n\tgreat dog\n\n\n', ['cat', 'great dog']],
  ['names beyond ASCII', 'Käse\n犬\n', ['Käse', '犬']],
  ['a name with brackets', '[unknown]\ncat\n', ['[unknown]', 'cat']],
])('%s', async (_name, bytes, names) => {
  expect(await read(bytes)).toEqual({ names, notes: [] });
});

test.each<[string, string, readonly string[]]>([
  ['names.json', '["cat", " dog "]', ['cat', 'dog']],
  ['names.txt', '["cat",\n "dog"]\n', ['cat', 'dog']],
  ['names.json', '{"1": "dog", "0": "cat"}', ['cat', 'dog']],
])('%s: %s is JSON', async (file, text, names) => {
  expect((await read(text, file)).names).toEqual(names);
});

test('a name that comes again gets the number of its class, as in training, and that is said', async () => {
  const { names, notes } = await read('crane\nmissile\ncrane\n');
  expect(names).toEqual(['crane (0)', 'missile', 'crane (2)']);
  expect(notes).toEqual([
    expect.stringMatching(
      /names\.txt: "crane" is the name of classes 0 and 2; .* "crane \(0\)", "crane \(2\)"$/,
    ),
  ]);
});

test.each<[string, string, string | Buffer, RegExp]>([
  ['Latin-1', 'l.txt', Buffer.from('Kuh\nK\xe4se\n', 'latin1'), /l\.txt: .*line 2 is in another encoding/],
  ['UTF-16', 'u.txt', Buffer.from('\ufeffcat\ndog\n', 'utf16le'), /u\.txt: .*found UTF-16/],
  [
    'UTF-16 without a mark',
    'u.txt',
    Buffer.from('cat\ndog\n', 'utf16le'),
    /u\.txt: line 1: a class name must be one line/,
  ],
  ['an empty line between names', 'e.txt', 'cat\n\ndog\n', /e\.txt: line 2: a class name must be .*got ""/],
  ['a control character', 'c.txt', 'cat\nd\x07g\n', /c\.txt: line 2: a class name must be one line/],
  [
    'a name of more than 500 characters',
    'n.txt',
    `cat\n${'x'.repeat(501)}\n`,
    /n\.txt: line 2: .*1 to 500 characters/,
  ],
  ['an empty file', 'z.txt', '', /z\.txt: line 1: a class name must be/],
  ['malformed JSON', 'j.json', '["cat", ', /j\.json: expected JSON; /],
  [
    'JSON of another kind',
    'j.json',
    '{"cat": 0}',
    /j\.json: expected a JSON list of names, or an object of names by number/,
  ],
  ['a number in JSON', 'j.json', '["cat", 7]', /j\.json: name 1: a class name must be .*got 7/],
])('%s is refused', async (_name, file, bytes, message) => {
  const failure = await failureOf(read(bytes, file));
  expect(failure).toMatch(/^E_FILE: /);
  expect(failure).toMatch(message);
});

test('a missing file is refused', async () => {
  expect(await failureOf(readClassNames('/no/such/names.txt', {}))).toMatch(
    /^E_FILE: --class-names \/no\/such\/names\.txt: expected a text file, it is not there/,
  );
});
