// Runs the code blocks of a page, in order, in a folder of their own: small, where a mark above the block says how.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { ROOT } from '../data/places.js';
import type { Block } from './pages.js';

const run = promisify(execFile);
type Json = Readonly<Record<string, unknown>>;

/** An experiment of some seconds, whatever it is in earnest. */
function small(experiment: Json): Json {
  const { data, fit, splitting, stop, ...others } = experiment as Readonly<Record<string, Json>>;
  const stages = Math.min(Number(stop?.stages ?? 2), 2);
  return {
    ...others,
    // Folders of images are as small as they were made.
    data: data?.root === undefined ? { ...data, trainImages: 256, testImages: 64 } : data,
    fit: { ...fit, epochs: 1, schedule: { kind: 'constant' } },
    splitting: { ...splitting, images: 64, epochs: 1 },
    stop: { ...stop, stages },
    compare: [],
  };
}

/** A folder as a user's project is: the package by its name, and the experiments of the checkout, made small. */
export async function playground(folder: string): Promise<void> {
  await mkdir(join(folder, 'node_modules'));
  await symlink(ROOT, join(folder, 'node_modules', 'splitgrow'));
  for (const name of ['data', 'scripts']) await symlink(join(ROOT, name), join(folder, name));
  await mkdir(join(folder, 'experiments'));
  const names = await readdir(join(ROOT, 'experiments'));
  for (const name of names.filter((one) => one.endsWith('.json'))) {
    const experiment = JSON.parse(await readFile(join(ROOT, 'experiments', name), 'utf8')) as Json;
    await writeFile(join(folder, 'experiments', name), JSON.stringify(small(experiment)));
  }
}

/** The code with the pieces replaced that `run with: A => B; C => D` names, each of which must be there. */
function changed({ page, line, code, marks }: Block): string {
  const pairs = (marks.get('run with') ?? '').split('; ').filter((pair) => pair !== '');
  return pairs.reduce((text, pair) => {
    const [from = '', to = ''] = pair.split(' => ');
    if (!text.includes(from)) throw new Error(`${page}:${line}: there is no "${from}" to replace`);
    return text.replaceAll(from, () => to);
  }, code);
}

function withoutTypes(code: string): string {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

const SHELL = `set -euo pipefail
npx() { local name=$1; shift; [ "$name" = splitgrow ] && node "$SPLITGROW_ROOT/dist/cli/main.js" "$@"; }
`;

/** What each language is run by. */
const RUNNERS: Readonly<Record<string, (code: string) => readonly [string, ...string[]]>> = {
  js: (code) => [process.execPath, '--input-type=module', '--eval', code],
  ts: (code) => [process.execPath, '--input-type=module', '--eval', withoutTypes(code)],
  sh: (code) => ['bash', '-c', SHELL + code],
};

export function isRun({ language, marks }: Block): boolean {
  if (language === 'sh') return marks.has('run') || marks.has('run with');
  return (language === 'js' || language === 'ts') && !marks.has('not run');
}

/** Writes the block where it is a file, runs it where it is run. Resolves to what it printed, or null. */
export async function play(block: Block, folder: string): Promise<string | null> {
  const { page, line, language, marks } = block;
  const file = marks.get('file');
  if (file !== undefined) {
    const text = changed(block);
    const json = language === 'json' ? (JSON.parse(text) as Json) : null;
    const isExperiment = json !== null && Object.hasOwn(json, 'data');
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), isExperiment ? JSON.stringify(small(json)) : text);
  }
  if (!isRun(block)) return null;
  const [program, ...parameters] = RUNNERS[language]?.(changed(block)) ?? [];
  if (program === undefined) throw new Error(`${page}:${line}: nothing runs ${language}`);
  const env = { ...process.env, SPLITGROW_ROOT: ROOT, NO_COLOR: '1' };
  try {
    const { stdout } = await run(program, parameters, { cwd: folder, env, maxBuffer: 1 << 26 });
    return stdout.trim();
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${page}:${line} fails:\n${stdout}\n${stderr}`);
  }
}
