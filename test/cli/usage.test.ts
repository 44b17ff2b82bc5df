// The command line's manners: exit codes, one-line errors, help, JSON on standard output alone.
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../lib/cli/commands.js';
import { errorLine, splitgrow } from './command-line.js';

const WRONG: readonly (readonly [claim: string, words: readonly string[], code: string, says: RegExp])[] = [
  ['no command at all', [], 'E_USAGE', /expected a command: ([a-z ]+, )+grow, .*--help/],
  [
    'an unknown command names the nearest',
    ['idices'],
    'E_USAGE',
    /unknown command 'idices'; did you mean indices\?/,
  ],
  [
    'an unknown flag names the nearest',
    ['cost', '--netwrok', 'x'],
    'E_USAGE',
    /'--netwrok'; did you mean --network\? See splitgrow cost --help/,
  ],
  [
    'a missing required flag',
    ['cost'],
    'E_USAGE',
    /expected --network DIR\|PRESET, found none; see splitgrow cost --help/,
  ],
  [
    'a flag without its value',
    ['cost', '--network'],
    'E_USAGE',
    /'--network <DIR\|PRESET>' argument missing/,
  ],
  ['an empty value', ['cost', '--network', ''], 'E_USAGE', /--network: expected a DIR\|PRESET, got ""/],
  ['a missing argument', ['grow'], 'E_USAGE', /missing required argument 'EXPERIMENT'/],
  ['one argument too many', ['grow', 'a.json', 'b.json'], 'E_USAGE', /too many arguments/],
  [
    'a word where a number goes',
    ['cost', '--network', 'mobilenet_v1', '--width', 'wide'],
    'E_USAGE',
    /--width: expected a number above 0, got "wide"/,
  ],
  [
    'a negative width',
    ['cost', '--network', 'mobilenet_v1', '--width', '-1'],
    'E_USAGE',
    /--width: expected a number above 0, got "-1"/,
  ],
  ['a hexadecimal number', ['cost', '--network', 'mobilenet_v1', '--width', '0x1'], 'E_USAGE', /got "0x1"/],
  ['an infinite number', ['cost', '--network', 'mobilenet_v1', '--width', '1e999'], 'E_USAGE', /got "1e999"/],
  [
    'a fraction where a whole number goes',
    ['bench', '--network', 'mobilenet_v1', '--batch-size', '1.5'],
    'E_USAGE',
    /--batch-size: expected a whole number of at least 1, got "1.5"/,
  ],
  [
    'no threads',
    ['cost', '--network', 'mobilenet_v1', '--threads', '0'],
    'E_USAGE',
    /--threads: expected a whole number from 1 to 1024, got "0"/,
  ],
  [
    'an unknown choice',
    ['indices', '--network', 'x', '--batch', 'y', '--method', 'fast'],
    'E_USAGE',
    /--method: expected one of exact, rayleigh, lobpcg, auto, got "fast"/,
  ],
  [
    'a negative epsilon',
    ['split', '--network', 'x', '--plan', 'p', '--directions', 'd', '--out', 'o', '--epsilon', '-1'],
    'E_USAGE',
    /--epsilon: expected a number of at least 0, got "-1"/,
  ],
  [
    'an override without a value',
    ['grow', 'a.json', '--set', 'fit.epochs'],
    'E_USAGE',
    /--set: expected path=value/,
  ],
  [
    'an unknown preset names the nearest',
    ['cost', '--network', 'mobilenet_v3'],
    'E_PRESET',
    /preset.*, got "mobilenet_v3"; did you mean "mobilenet_v/,
  ],
  [
    'a width that a preset cannot take',
    ['cost', '--network', 'mobilenet_cifar10', '--width', '8.5'],
    'E_PRESET',
    /width/,
  ],
  ['an unknown dataset', ['eval', '--network', 'x', '--data', 'mnits'], 'E_EXPERIMENT', /data\.name/],
];

describe('wrong usage ends with exit code 2 and one line', () => {
  test.concurrent.each(WRONG)('%s', async (_claim, words, code, says) => {
    const ended = await splitgrow(words);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 2, stdout: '' });
    expect(errorLine(ended)?.code).toBe(code);
    expect(errorLine(ended)?.text).toMatch(says);
  });
});

describe('help', () => {
  test('lists every command and exits with 0', async () => {
    const { code, stdout, stderr } = await splitgrow(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name } of COMMANDS) {
      // A group of commands is listed by its first word.
      const [word = '', inner = ''] = name.split(' ');
      expect(stdout).toMatch(new RegExp(`^  ${word} .*${inner}`, 'm'));
    }
  });

  test.concurrent.each(COMMANDS)(
    'of $name shows its flags and examples',
    async ({ name, flags, examples }) => {
      const { code, stdout, stderr } = await splitgrow([...name.split(' '), '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const key of [...Object.keys(flags), 'json', 'threads', 'debug']) {
        expect(stdout).toContain(`--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
      }
      expect(examples.length).toBeGreaterThan(0);
      for (const [line] of examples) expect(stdout).toContain(line);
    },
  );

  test('--version prints the version alone', async () => {
    const { code, stdout } = await splitgrow(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

test('the examples of every command name flags that it has', () => {
  for (const { name, flags, examples } of COMMANDS) {
    const known = new Set([...Object.keys(flags), 'json', 'threads', 'debug']);
    for (const [line] of examples) {
      expect(line).toContain(`splitgrow ${name}`);
      for (const [, flag = ''] of line.matchAll(/--([a-z-]+)/g)) {
        expect(known).toContain(flag.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase()));
      }
    }
  }
});

test('--debug adds the stack below the line', async () => {
  const words = ['grow', 'no-such-file.json'];
  const [plain, debug] = await Promise.all([splitgrow(words), splitgrow([...words, '--debug'])]);
  expect(errorLine(plain)?.code).toBe('E_FILE');
  expect(debug.code).toBe(2);
  expect(debug.stderr.split('\n')[0]).toBe(plain.stderr.trimEnd());
  expect(debug.stderr).toMatch(/\n {4}at /);
});
