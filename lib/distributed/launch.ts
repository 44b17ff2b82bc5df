// Starts a command as several ranks on this machine, and ends them all when one fails.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { SplitgrowError } from '../errors.js';
import { readRanks } from '../machine/launchers.js';
import { LAUNCHER_PIPE, LAUNCHER_VARIABLE } from './launched.js';
import { removeLeftFolders } from './rank-folder.js';

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));
/** How long the other ranks may take to end by themselves after one has ended. */
const GRACE_MS = 10_000;
/** How long they may take after they were asked to stop: rank 0 may be writing its checkpoint. */
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
  /** The signal that ended it; null where it ended by itself. */
  readonly signal: NodeJS.Signals | null;
  /** How it ended, for people. */
  readonly how: string;
}

function startRank(rank: number, command: readonly string[], env: NodeJS.ProcessEnv): Rank {
  const child = spawn(process.execPath, [MAIN, ...command], {
    env: { ...env, RANK: String(rank), LOCAL_RANK: String(rank), [LAUNCHER_VARIABLE]: '1' },
    stdio: [
      ...(rank === 0
        ? (['inherit', 'inherit', 'inherit'] as const)
        : (['ignore', 'ignore', 'pipe'] as const)),
      'pipe',
    ],
  });
  // Nothing is written to it. The rank notices when it closes.
  child.stdio[LAUNCHER_PIPE]?.on('error', () => {});
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-KEPT_CHARACTERS);
  });
  const ended = new Promise<End>((resolve) => {
    child.once('error', (error) =>
      resolve({ rank, code: 1, signal: null, how: `did not start: ${error.message}` }),
    );
    child.once('close', (code, signal) =>
      resolve({
        rank,
        code: code ?? 1,
        signal,
        how: signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`,
      }),
    );
  });
  return { rank, child, lastWords: () => words.trim().split('\n').at(-1) ?? '', ended };
}

function endAll(ranks: readonly Rank[], signal: NodeJS.Signals): void {
  // A stopped rank gets SIGKILL at once, and any other signal when it goes on.
  for (const { child } of ranks) if (child.exitCode === null && child.signalCode === null) child.kill(signal);
}

export interface LaunchOptions {
  readonly processes: number;
  /** Words of a splitgrow command, such as ['grow', 'experiment.json']. */
  readonly command: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** Threads of each rank; by default the ranks share those of the machine. */
  readonly threads?: number | undefined;
  /** Called for every rank that was killed or failed, except when rank 0 fails, because it tells that itself. */
  readonly onDeath?: ((error: SplitgrowError) => void) | undefined;
}

/** Ranks may not start ranks: all of them would write to the same folder. */
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
 * Runs the command as `processes` ranks; standard output and error are rank 0's. The ranks end with this process.
 * @returns rank 0's exit code, or 1 where another rank failed first
 * @throws E_DISTRIBUTED within a rank
 */
export async function launch(options: LaunchOptions): Promise<number> {
  const { processes, command, signal, threads } = options;
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
    return await outcome(ranks, options);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    endAll(ranks, 'SIGKILL');
    // For ranks that were killed.
    await removeLeftFolders();
  }
}

/** The signals that stop a rank; a terminal sends them too. */
const STOPS: readonly (NodeJS.Signals | null)[] = ['SIGTERM', 'SIGINT', 'SIGUSR1'];

/** The ranks whose end is told: those that were killed, and the first that failed unless rank 0 has told it. */
function deathsAmong(ends: readonly End[], isStopped: boolean): readonly End[] {
  if (isStopped) return ends.filter(({ signal }) => signal !== null && !STOPS.includes(signal));
  const [first] = ends.filter(({ code }) => code !== 0);
  return ends.filter((end) => end.signal !== null || (end === first && end.rank !== 0));
}

/** The exit code, once all ranks have ended. */
async function outcome(
  ranks: readonly Rank[],
  { signal, onDeath }: Pick<LaunchOptions, 'signal' | 'onDeath'>,
): Promise<number> {
  const waiting = new Map(ranks.map((one) => [one.rank, one.ended] as const));
  const ends: End[] = [];
  let late: NodeJS.Timeout | null = null;
  while (waiting.size > 0) {
    const end = await Promise.race(waiting.values());
    waiting.delete(end.rank);
    ends.push(end);
    if (end.code === 0 || late !== null) continue;
    // The others notice that a rank is gone and end with an error of their own.
    const grace = signal?.aborted === true ? STOP_GRACE_MS : GRACE_MS;
    late = setTimeout(() => endAll(ranks, 'SIGKILL'), grace);
  }
  if (late !== null) clearTimeout(late);
  const isStopped = signal?.aborted === true;
  const codeOfFirst = ends.find(({ rank }) => rank === 0)?.code ?? 1;
  // Wrong input is wrong for every rank, and rank 0 has said so, whichever ended first.
  if (codeOfFirst === WRONG_INPUT) return codeOfFirst;
  const deaths = deathsAmong(ends, isStopped);
  for (const { rank, how } of deaths) {
    const words = ranks[rank]?.lastWords() ?? '';
    onDeath?.(
      new SplitgrowError(
        'E_DISTRIBUTED',
        `rank ${rank} ${how}${words === '' ? '' : ` (${words})`}; the other ranks were ended; run the command again to go on from the last checkpoint`,
      ),
    );
  }
  return deaths.length > 0 && !isStopped ? 1 : codeOfFirst;
}
