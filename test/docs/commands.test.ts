// Command lines in the documentation are lines that splitgrow, npm and node take.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMON_FLAGS } from '../../lib/cli/command.js';
import { COMMANDS } from '../../lib/cli/commands.js';
import { buildProgram, flagName } from '../../lib/cli/parse.js';
import { PRESET_FLAGS } from '../../lib/cli/shared-flags.js';
import { ROOT } from '../data/places.js';
import { allBlocks, blocks, cellsOf, codeSpans, pageOf } from './pages.js';

interface Line {
  readonly place: string;
  readonly words: readonly string[];
}

/** Lines of sh blocks without comments, redirections and variables in front. */
function lines(): readonly Line[] {
  return blocks('sh').flatMap(({ page, line, code }) =>
    code.split('\n').flatMap((text, at): Line[] => {
      const plain = text
        .replace(/(^|\s)#.*$/, '')
        .replace(/\s>\s.*$/, '')
        .trim();
      const words = plain.split(/\s+/).filter((word, i) => !(i === 0 && /^[A-Z_]+=/.test(word)));
      return plain === '' ? [] : [{ place: `${page}:${line + 1 + at}`, words }];
    }),
  );
}

/** The words after splitgrow, where the line runs it. */
function splitgrowWords({ words }: Line): readonly string[] | null {
  const at = words.indexOf('splitgrow');
  return at < 0 ? null : words.slice(at + 1);
}

/** What splitgrow says of a command line, or the command that it would run. */
async function parsed(words: readonly string[]): Promise<string> {
  let name = 'nothing';
  const program = buildProgram(COMMANDS, '0.0.0', {
    execute: async (command) => {
      name = command.name;
    },
    writeHelp: () => undefined,
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return name;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('every splitgrow line of the documentation parses, and so does what it launches', async () => {
  const found = lines().flatMap((line) => {
    const words = splitgrowWords(line);
    const inner = words?.includes('--') ? words.slice(words.indexOf('--') + 1) : null;
    return [words, inner].flatMap((one) => (one === null ? [] : [{ place: line.place, words: one }]));
  });
  expect(found.length).toBeGreaterThan(12);
  for (const { place, words } of found) {
    const [named] = COMMANDS.map(({ name }) => name)
      .filter((name) => `${words.join(' ')} `.startsWith(`${name} `))
      .sort((a, b) => b.length - a.length);
    expect(`${place}: ${await parsed(words)}`).toBe(`${place}: ${named}`);
  }
});

/** Commands of npm that are no scripts. */
const NPM_OWN: ReadonlySet<string> = new Set(['ci', 'init', 'install', 'pack', 'uninstall']);

test('every npm script and every script of node that the documentation names is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  // Files that a block of the documentation is.
  const written = new Set(allBlocks().map(({ marks }) => marks.get('file')));
  const missing = lines().flatMap(({ place, words: [program, first = '', second = ''] }) => {
    if (program === 'npm') {
      if (NPM_OWN.has(first)) return [];
      const script = first === 'run' ? second : first;
      return Object.hasOwn(scripts, script) ? [] : [`${place}: npm ${script}`];
    }
    if (program === 'node')
      return written.has(first) || existsSync(join(ROOT, first)) ? [] : [`${place}: ${first}`];
    return [];
  });
  expect(missing).toEqual([]);
  const inTables = codeSpans(pageOf('README.md')).flatMap(
    (span) => /^npm (?:run )?([\w:]+)$/.exec(span)?.[1] ?? [],
  );
  expect(inTables.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
});

test('the reference says what each command prints', () => {
  const rows = (pageOf('docs/reference.md').split('command | document')[1]?.split('\n\n')[0] ?? '')
    .split('\n')
    .slice(2);
  const named = rows.flatMap((row) => codeSpans(cellsOf(row)[0] ?? ''));
  expect(named.sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
});

test('the reference has every flag of every command', () => {
  const lines =
    pageOf('docs/reference.md').split('<!-- commands -->')[1]?.split('<!-- /commands -->')[0]?.split('\n') ??
    [];
  for (const { name, flags } of COMMANDS) {
    const words = lines.filter((line) => line.startsWith(`${name} `) || line === name).join(' ');
    const listed = new Set(words.match(/--[a-z-]+/g));
    const hasPreset = words.includes('PRESET-OPTIONS');
    const missing = Object.keys(flags).filter(
      (key) =>
        !listed.has(flagName(key)) &&
        !Object.hasOwn(COMMON_FLAGS, key) &&
        !(hasPreset && Object.hasOwn(PRESET_FLAGS, key)),
    );
    expect(missing, name).toEqual([]);
  }
});
