// The ranks of a data-parallel run: which one this process is, by the usual environment variables, and joining them.
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SplitgrowError } from '../errors.js';
import { loadCore } from '../native.js';

export interface Ranks {
  readonly rank: number;
  readonly world: number;
  readonly host: string;
  readonly port: number;
  /** False where a launcher (torchrun's agent) already serves the store. */
  readonly isServer: boolean;
  /** Keeps the keys of one attempt of a restarted job apart from those of the next. */
  readonly attempt: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Seconds that a rank waits for the others before it gives up. */
const TIMEOUT = 'SPLITGROW_RANK_TIMEOUT';
const DEFAULT_TIMEOUT = 600;

function whole(
  env: Environment,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const text = env[name];
  const value = text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new SplitgrowError(
    'E_DISTRIBUTED',
    `environment variable ${name}: expected a whole number from ${min} to ${max} (WORLD_SIZE says that there are several ranks), got ${
      text === undefined ? 'none' : `"${text}"`
    }; start the ranks with splitgrow launch or torchrun --no-python`,
  );
}

/**
 * RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun, Kubernetes'
 * PyTorchJob and splitgrow launch set them; null where there is one process.
 * @throws E_DISTRIBUTED where they are incomplete
 */
export function readRanks(env: Environment = process.env): Ranks | null {
  if (env.WORLD_SIZE === undefined || env.WORLD_SIZE === '1') return null;
  const world = whole(env, 'WORLD_SIZE', { min: 1, max: 1 << 20 });
  const rank = whole(env, 'RANK', { min: 0, max: world - 1 });
  return {
    rank,
    world,
    host: env.MASTER_ADDR ?? '127.0.0.1',
    port: whole(env, 'MASTER_PORT', { min: 1, max: 65535 }),
    isServer: rank === 0 && env.TORCHELASTIC_USE_AGENT_STORE !== 'True',
    attempt: `splitgrow-${env.TORCHELASTIC_RESTART_COUNT ?? '0'}`,
  };
}

async function joinRanks(ranks: Ranks): Promise<void> {
  const seconds =
    process.env[TIMEOUT] === undefined ? DEFAULT_TIMEOUT : whole(process.env, TIMEOUT, { min: 1, max: 1e6 });
  const { rank, world, host, port, isServer, attempt } = ranks;
  await loadCore().joinGroup({
    rank,
    world,
    host,
    port,
    isServer,
    prefix: attempt,
    timeoutMs: seconds * 1000,
  });
}

/** Runs `work` as one of the ranks; it is told whether this one writes. Without ranks it just runs. */
export async function asRank<T>(work: (isWriter: boolean) => Promise<T>): Promise<T> {
  const ranks = readRanks();
  if (ranks === null) return work(true);
  await joinRanks(ranks);
  try {
    return await work(ranks.rank === 0);
  } finally {
    loadCore().leaveGroup();
  }
}

/** What a rank that writes nothing for keeps starts from: all that rank 0 finds in the output folder, but its lock. */
async function copyOf(output: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'splitgrow-rank-'));
  const names = await readdir(output).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    if (!name.includes('lock')) await cp(join(output, name), join(copy, name), { recursive: true });
  }
  return copy;
}

/**
 * Runs an experiment as one of the ranks. All ranks take the same decisions
 * from the same sums; rank 0 alone writes to `output`, each other one to a copy
 * that is removed at the end. The copy is made before the ranks meet, so that
 * rank 0 has not begun to change what is copied.
 */
export async function withRankOutput<S extends { readonly output: string }, T>(
  spec: S,
  run: (spec: S) => Promise<T>,
): Promise<T> {
  const ranks = readRanks();
  if (ranks === null) return run(spec);
  const copy = ranks.rank === 0 ? null : await copyOf(spec.output);
  try {
    return await asRank(() => run(copy === null ? spec : { ...spec, output: copy }));
  } finally {
    if (copy !== null) await rm(copy, { recursive: true, force: true });
  }
}
