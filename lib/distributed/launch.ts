// Starts a command as several ranks on this machine, and ends them all when one fails.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { SplitgrowError } from '../errors.js';
import { readRanks } from './launchers.js';

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));
/** How long the others may take to end by themselves after one has. */
const GRACE_MS = 10_000;
/** Likewise after they were asked to stop: rank 0 may be writing its checkpoint. */
const STOP_GRACE_MS = 60_000;
const KEPT_CHARACTERS = 4096;
const WRONG_INPUT = 2;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

interface Rank {
  readonly rank: number;
  readonly child: ChildProcess;
  /** The end of what it wrote to standard error (empty for rank 0, whose lines go through). */
  readonly lastWords: () => string;
  readonly ended: Promise<End>;
}

interface End {
  readonly rank: number;
  readonly code: number;
  /** How it ended, for people. */
  readonly how: string;
}

function startRank(rank: number, command: readonly string[], env: NodeJS.ProcessEnv): Rank {
  const child = spawn(process.execPath, [MAIN, ...command], {
    env: { ...env, RANK: String(rank), LOCAL_RANK: String(rank) },
    stdio: rank === 0 ? 'inherit' : ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-KEPT_CHARACTERS);
  });
  const ended = new Promise<End>((resolve) => {
    child.once('error', (error) => resolve({ rank, code: 1, how: `did not start: ${error.message}` }));
    child.once('close', (code, signal) =>
      resolve({
        rank,
        code: code ?? 1,
        how: signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`,
      }),
    );
  });
  return { rank, child, lastWords: () => words.trim().split('\n').at(-1) ?? '', ended };
}

function endAll(ranks: readonly Rank[], signal: NodeJS.Signals): void {
  // To a stopped rank SIGKILL comes through, anything else when it goes on.
  for (const { child } of ranks) if (child.exitCode === null && child.signalCode === null) child.kill(signal);
}

export interface LaunchOptions {
  readonly processes: number;
  /** Words of a splitgrow command, such as ['grow', 'experiment.json']. */
  readonly command: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** Threads of each; by default those of the machine, shared. */
  readonly threads?: number | undefined;
}

/** Ranks that each started ranks would all write to the same folder. */
function refuseRank(): void {
  const ranks = readRanks();
  if (ranks === null) return;
  throw new SplitgrowError(
    'E_DISTRIBUTED',
    `launch: expected one process, found itself rank ${ranks.rank} of ${ranks.world} (${ranks.launcher}); ` +
      'let that start the command itself, or set WORLD_SIZE=1',
  );
}

/**
 * Runs the command as `processes` ranks; standard output and error are rank 0's.
 * @returns rank 0's exit code
 * @throws E_DISTRIBUTED where another rank failed first
 */
export async function launch({ processes, command, signal, threads }: LaunchOptions): Promise<number> {
  refuseRank();
  const share = Math.max(1, Math.floor(availableParallelism() / processes));
  const env = {
    OMP_NUM_THREADS: String(share),
    ...process.env,
    ...(threads !== undefined && { OMP_NUM_THREADS: String(threads) }),
    WORLD_SIZE: String(processes),
    LOCAL_WORLD_SIZE: String(processes),
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: String(await freePort()),
  };
  const ranks = Array.from({ length: processes }, (_, rank) => startRank(rank, command, env));
  const onAbort = (): void => endAll(ranks, 'SIGTERM');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await outcome(ranks, signal);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    endAll(ranks, 'SIGKILL');
  }
}

async function outcome(ranks: readonly Rank[], signal: AbortSignal | undefined): Promise<number> {
  const waiting = new Map(ranks.map((one) => [one.rank, one.ended] as const));
  const codes = new Map<number, number>();
  while (waiting.size > 0) {
    const { rank, code, how } = await Promise.race(waiting.values());
    waiting.delete(rank);
    codes.set(rank, code);
    if (code === 0) continue;
    // The others notice that a rank is gone and end with an error of their own.
    const grace = signal?.aborted === true ? STOP_GRACE_MS : GRACE_MS;
    const late = setTimeout(() => endAll(ranks, 'SIGKILL'), grace);
    const rest = await Promise.all(waiting.values());
    clearTimeout(late);
    for (const one of rest) codes.set(one.rank, one.code);
    const first = codes.get(0) ?? 1;
    // Wrong input is wrong for every rank, and rank 0 has said so, whichever ended first.
    if (rank === 0 || first === WRONG_INPUT || signal?.aborted === true) return first;
    const words = ranks[rank]?.lastWords() ?? '';
    throw new SplitgrowError(
      'E_DISTRIBUTED',
      `rank ${rank} ${how}${words === '' ? '' : ` (${words})`}; the other ranks were ended; run the command again to go on from the last checkpoint`,
    );
  }
  return codes.get(0) ?? 1;
}
