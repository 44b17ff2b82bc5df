// Runs the built command line in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** A process that goes on; `ended` resolves when it is over. */
export function start(words: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = process.cwd()): Running {
  return follow([process.execPath, MAIN, ...words], env, cwd);
}

/** Likewise, of a process that may open so many files. */
export function startLimited(words: readonly string[], files: number): Running {
  const limited = ['bash', '-c', `ulimit -n ${files}; exec "$0" "$@"`];
  return follow([...limited, process.execPath, MAIN, ...words], {}, process.cwd());
}

function follow([program = '', ...words]: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Running {
  const child = spawn(program, words, {
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** `splitgrow <words>` to its end. */
export function splitgrow(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = process.cwd(),
): Promise<Ended> {
  return start(words, env, cwd).ended;
}

/** The one line `splitgrow: CODE: text` that an error is, taken apart; undefined where standard error is anything else. */
export function errorLine({ stderr }: Ended): { readonly code: string; readonly text: string } | undefined {
  const found = /^splitgrow: (E_[A-Z_]+): ([^\n]+)\n$/.exec(stderr);
  return found === null ? undefined : { code: found[1] ?? '', text: found[2] ?? '' };
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
