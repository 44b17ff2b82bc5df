// What the system refuses: too few open files, no working folder, no home. One line with a code, and never a stack.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { systemError } from '../../lib/machine/system-errors.js';
import { ROOT } from '../data/places.js';
import { temporaryFolder } from '../run/tiny.js';

const MAIN = join(ROOT, 'dist', 'cli', 'main.js');

interface Said {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a line of shell, with the command as $0 $1. */
function shell(line: string, env: Readonly<Record<string, string | undefined>> = {}): Promise<Said> {
  return new Promise((resolve) => {
    execFile(
      'sh',
      ['-c', line, process.execPath, MAIN],
      { env: { ...process.env, ...env }, cwd: temporaryFolder() },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : (error.code ?? null), stdout, stderr }),
    );
  });
}

for (const limit of [25, 40, 60]) {
  test(`with ${limit} open files a command says in one line what to raise`, {
    timeout: 600_000,
  }, async () => {
    const { code, stdout, stderr } = await shell(
      `ulimit -n ${limit}; exec "$0" "$1" cost --network mobilenet_v1`,
    );
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^splitgrow: E_RESOURCES: the process may not open more files .*`ulimit -n`\)\n$/);
  });
}

test('a package that is loaded late with no file left to open is E_RESOURCES, not a missing package', {
  timeout: 600_000,
}, async () => {
  const script = `
    const { systemError } = await import('${pathToFileURL(join(ROOT, 'dist', 'machine', 'system-errors.js'))}');
    const { openSync } = await import('node:fs');
    try { for (;;) openSync('/dev/null'); } catch {}
    for (const name of ['highs', 'vega', 'no-such-package']) {
      const error = await import(name).catch((reason) => reason);
      process.stdout.write([name, error.code, systemError(error)?.code].join(' ') + '\\n');
    }`;
  const { stdout } = await shell(
    `cd '${ROOT}' && ulimit -n 100 && exec "$0" --input-type=module -e "$SCRIPT"`,
    { SCRIPT: script },
  );
  expect(stdout).toBe(
    ['highs ERR_MODULE_NOT_FOUND E_RESOURCES', 'vega EMFILE E_RESOURCES']
      .concat('no-such-package ERR_MODULE_NOT_FOUND ', '')
      .join('\n'),
  );
});

for (const command of ['bench --network mobilenet_v1 --batch-size 1', 'grow experiment.json', 'doctor']) {
  test(`in a folder that is gone "${command}" says so in one line`, { timeout: 600_000 }, async () => {
    const line = `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" ${command}`;
    const { code, stderr } = await shell(line);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^splitgrow: E_FILE: [^\n]*\n$/);
  });
}

test('without a home a command that needs none does its work', { timeout: 600_000 }, async () => {
  const { code, stdout } = await shell('exec "$0" "$1" cost --network mobilenet_v1 --json', {
    HOME: undefined,
  });
  expect([code, (JSON.parse(stdout) as { readonly macs: number }).macs]).toEqual([0, 568_740_352]);
});

test('errors of the system have codes of their own; others have none', () => {
  const of = (code: string, syscall: string): string | undefined =>
    systemError(Object.assign(new Error(`${code}: reason`), { code, syscall }))?.code;
  expect([of('EMFILE', 'open'), of('ENFILE', 'open'), of('EAGAIN', 'spawn'), of('ENOMEM', 'mmap')]).toEqual(
    Array.from({ length: 4 }, () => 'E_RESOURCES'),
  );
  expect([of('ENOSPC', 'write'), of('EROFS', 'open'), of('EACCES', 'open')]).toEqual([
    'E_WRITE',
    'E_WRITE',
    'E_FILE',
  ]);
  expect(of('ENOENT', 'uv_cwd')).toBe('E_FILE');
  expect([of('ESOMETHING', 'open'), systemError(new Error('x')), systemError('x')]).toEqual([
    undefined,
    null,
    null,
  ]);
});
