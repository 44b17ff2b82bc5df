// What the benchmarks share: statistics, child processes, the machine in words, Markdown tables, result files.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const HERE = dirname(fileURLToPath(import.meta.url));
export const RESULTS = join(HERE, 'results');

/** The value below which a share of the values lies, between neighbours by a straight line. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

export const median = (values) => quantile(values, 0.5);

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of the mean of values that vary independently. */
export function standardError(values) {
  const about = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - about) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** Runs a program and parses the one JSON document on its standard output. */
export function runJson(command, parameters, { env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let complaints = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      complaints += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`${command} ${parameters[0]} ended with code ${code}:\n${complaints}`));
    });
  });
}

/**
 * A process that prints one JSON document a line: one once it is ready, then the answer to each request, a line on its
 * standard input. It ends with its input.
 */
export async function startWorker(command, parameters, { env = {} } = {}) {
  const child = spawn(command, parameters, {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  // What is written to a process that has ended is told by its missing answer.
  child.stdin.on('error', () => undefined);
  const ended = new Promise((resolve) => {
    child.on('error', resolve);
    child.on('close', resolve);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (!done) return JSON.parse(value);
    throw new Error(`${command} ${parameters[0]} ended with ${await ended}:\n${complaints}`);
  };
  return {
    hello: await answer(),
    ask: (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return answer();
    },
    close: () => {
      child.stdin.end();
      return ended;
    },
  };
}

/** What `work` makes of a worker's answers; the worker ends with it. */
export async function withWorker(command, parameters, work, options) {
  const worker = await startWorker(command, parameters, options);
  try {
    return await work(worker);
  } finally {
    await worker.close();
  }
}

/** The answers of a worker of its own to the requests, in one document with what it said first. */
export function answersOf(command, parameters, requests, options) {
  return withWorker(
    command,
    parameters,
    async ({ hello, ask }) => {
      const all = { ...hello };
      for (const request of requests) Object.assign(all, await ask(request));
      return all;
    },
    options,
  );
}

/** Answers each line of this process's standard input by a line; a worker's side. */
export async function answerRequests(hello, answer) {
  const print = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);
  print(hello);
  for await (const line of createInterface({ input: process.stdin })) print(await answer(JSON.parse(line)));
}

const WANTED_TORCH = '2.11.';
/** Without the working folder, which -c puts first. */
const PROBE =
  'import sys; sys.path = [path for path in sys.path if path]; import json, torch; print(json.dumps(torch.__version__))';

/** The Python with PyTorch 2.11: SPLITGROW_PYTORCH or python3; else the reason why there is none. */
export async function findPyTorch() {
  const given = process.env.SPLITGROW_PYTORCH;
  const python = given ?? 'python3';
  const name = given === undefined ? 'python3' : 'the Python of SPLITGROW_PYTORCH';
  let version;
  try {
    version = await probe(python);
  } catch {
    return {
      python: null,
      reason: `${name} has no PyTorch; set SPLITGROW_PYTORCH to a Python that has 2.11`,
    };
  }
  if (version.startsWith(WANTED_TORCH)) return { python, version };
  return {
    python: null,
    reason: `${name} has PyTorch ${version}; set SPLITGROW_PYTORCH to a Python that has 2.11`,
  };
}

function probe(python) {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', PROBE], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(new Error(output))));
  });
}

function systemName() {
  try {
    return (
      /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform
    );
  } catch {
    return process.platform;
  }
}

/** The machine without its name. `versions` are added as they are. */
export function machine(versions = {}) {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${systemName()}, ${process.arch}`,
    node: process.versions.node,
    ...versions,
  };
}

/** The machine as one line. */
export function machineLine(about) {
  const { cpu, cores, memoryGiB, system, node, libtorch, cpuCapability, gpu } = about;
  const parts = [
    `${cpu}, ${cores} cores`,
    `${memoryGiB} GiB`,
    system,
    `Node.js ${node}`,
    // Not of what computes without it.
    libtorch && `LibTorch ${libtorch} (${cpuCapability})`,
    gpu,
    about.date,
  ];
  return `Machine: ${parts.filter(Boolean).join('; ')}.`;
}

/** A Markdown table; columns are { title, cell, isNumber }. */
export function markdown(columns, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ isNumber }) => (isNumber ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(({ cell }) => cell(row)))),
  ].join('\n');
}

/** A column of numbers; `cell` gives one, or null where there is none. */
export function numberColumn(title, cell, digits = 0) {
  return { title, cell: (row) => fixed(cell(row), digits), isNumber: true };
}

export function fixed(value, digits) {
  return value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);
}

const VERDICTS = new Map([
  [true, 'met'],
  [false, '**not met**'],
  [null, 'not measured'],
]);

/** One row a target: { what, where, limit, found, unit }; `found` null where it was not measured; `more` columns before the verdict. */
export function targetsTable(targets, more = []) {
  return markdown(
    [
      { title: 'target', cell: ({ what }) => what },
      { title: 'on', cell: ({ where }) => where },
      { title: 'at most', cell: ({ limit, unit }) => `${limit}${unit}`, isNumber: true },
      {
        title: 'found',
        cell: ({ found, unit }) => (found === null ? '–' : `${fixed(found, unit === ' ms' ? 1 : 2)}${unit}`),
        isNumber: true,
      },
      ...more,
      { title: '', cell: (target) => VERDICTS.get(verdict(target)) },
    ],
    targets,
  );
}

/** true: met, false: not met, null: not measured. */
export function verdict({ found, limit }) {
  return found === null ? null : found <= limit;
}

/** Writes results/NAME.json, and the page NAME.md where there is a text of its own. */
export async function writeResult(name, document, text) {
  await mkdir(RESULTS, { recursive: true });
  const file = join(RESULTS, `${name}.json`);
  await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
  if (text !== undefined) await writeFile(join(RESULTS, `${name}.md`), text);
  return file;
}

export function say(text) {
  process.stderr.write(`${text}\n`);
}
