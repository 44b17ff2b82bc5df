// What the scripts share: running a command, saying what goes on, stamps that tell whether work is up to date.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** A failure whose message is all that the user needs. */
export class StepError extends Error {}

// A log that cannot be written ends no work: its reader went away, or its disk is full.
process.stderr.on('error', () => undefined);

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** PATH without entries that mean the working folder. */
function searchPath() {
  return (process.env.PATH ?? '').split(delimiter).filter(isAbsolute).join(delimiter);
}

/** Runs a command; resolves to { code, output }. Output is shown as it comes, or only kept when `quiet`. */
export function run(command, args, { quiet = false, env = {}, cwd = ROOT, onOutput } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, PATH: searchPath(), ...env },
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    });
    let output = '';
    const keep = (chunk) => {
      output += chunk;
      onOutput?.(String(chunk));
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 1, output: signal ? `${output}\n${signal}` : output }),
    );
  });
}

/** Runs a quiet command that must work; shows its output when it does not. */
export async function must(what, command, args, options = {}) {
  const { code, output } = await run(command, args, { quiet: true, ...options });
  if (code !== 0) throw new StepError(`${what} failed (${command} ${args.join(' ')}):\n${output.trim()}`);
  return output;
}

/** One line "name ... ok, 1.2 s" around a piece of work, which may say meanwhile how far it is. */
export async function step(name, work) {
  const start = performance.now();
  const isTerminal = process.stderr.isTTY;
  const show = (text) => isTerminal && process.stderr.write(`\r\x1b[K${name.padEnd(24)} ${text}`);
  show('...');
  try {
    const note = await work(show);
    if (isTerminal) process.stderr.write('\r\x1b[K');
    say(`${name.padEnd(24)} ${note ?? 'ok'}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  } catch (error) {
    if (isTerminal) process.stderr.write('\n');
    throw error;
  }
}

/** The path of a local tool of node_modules. */
export function tool(name) {
  return join(ROOT, 'node_modules', '.bin', name);
}

/** Every file under the paths (relative to the root) that `accepts` accepts, sorted. */
export function filesIn(paths, accepts = () => true) {
  const found = [];
  const walk = (path) => {
    if (!existsSync(path)) return;
    if (!statSync(path).isDirectory()) {
      if (accepts(path)) found.push(path);
      return;
    }
    for (const name of readdirSync(path)) walk(join(path, name));
  };
  for (const path of paths) walk(join(ROOT, path));
  return found.sort();
}

/** Digest of names and bytes of files, and of any other words that matter. */
export function digest(files, words = []) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  for (const word of words) hash.update(`${word}\0`);
  return hash.digest('hex');
}

/** Whether the stamp of this name holds this digest. */
export function isStamped(name, value) {
  const file = join(ROOT, 'build', `${name}.stamp`);
  return existsSync(file) && readFileSync(file, 'utf8').trim() === value;
}

export function stamp(name, value) {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  writeFileSync(join(ROOT, 'build', `${name}.stamp`), `${value}\n`);
}

/** Runs a script's body: an error is one message and exit code 1. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    say(error instanceof StepError ? error.message : (error?.stack ?? String(error)));
    process.exitCode = 1;
  }
}
