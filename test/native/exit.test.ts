// Processes and Workers that end while the core works: with their own code, and never by a signal.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pngOf } from '../data/images/pictures.js';
import { ROOT } from '../data/places.js';

const folder = mkdtempSync(join(tmpdir(), 'splitgrow-exit-'));
beforeAll(() => {
  for (let i = 0; i < 4; i += 1)
    writeFileSync(
      join(folder, `${i}.png`),
      pngOf(20, 16, (x, y) => [x, y, i]),
    );
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | string | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ended(ending: string, kind: string): Promise<Ended> {
  const script = join(ROOT, 'test', 'native', 'exit.mjs');
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ending, kind, folder], (error, stdout, stderr) => {
      resolve({
        code: error === null ? 0 : (error.code ?? null),
        signal: error?.signal ?? null,
        stdout,
        stderr,
      });
    });
  });
}

/** How the process ends; what works at that moment; the code and the output. */
const ENDS: readonly (readonly [ending: string, kinds: readonly string[], code: number, stdout: string])[] = [
  ['exit', ['train', 'exact', 'rayleigh', 'evaluate', 'images', 'ranks'], 7, 'last words\n'],
  ['reallyExit', ['train'], 7, ''],
  ['throw', ['train', 'exact'], 1, ''],
  ['workerWorks', ['train', 'images'], 7, ''],
  ['bothWork', ['train', 'rayleigh'], 7, ''],
  ['workerExits', ['train', 'images'], 0, 'trained on 40\nlast words\nthe Worker ended with 7\n'],
  ['workerTerminates', ['train', 'exact'], 0, 'trained on 40\nthe Worker ended with 1\n'],
  ['return', ['train'], 0, 'trained on 40\n'],
];
for (const [ending, kinds, code, stdout] of ENDS) {
  for (const kind of kinds) {
    test(`${ending} in the midst of ${kind}: the process ends with ${code}`, {
      timeout: 600_000,
    }, async () => {
      const found = await ended(ending, kind);
      expect(found).toMatchObject({ code, signal: null });
      expect(found.stdout.split('\n').sort()).toEqual(stdout.split('\n').sort());
      expect(found.stderr).toMatch(ending === 'throw' ? /Error: uncaught/ : /^$/);
    });
  }
}
