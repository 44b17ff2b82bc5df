// Which rank of how many this process is, by the environment variables of the usual launchers.

import { SplitgrowError } from '../errors.js';
import type { Environment } from './environment.js';

export interface Ranks {
  readonly rank: number;
  readonly world: number;
  /** Its number among the ranks of its machine, which is also the number of the GPU it takes. */
  readonly localRank: number;
  /** Where the ranks meet. */
  readonly host: string;
  readonly port: number;
  /** False where a launcher (torchrun's agent) already serves the store. */
  readonly isServer: boolean;
  /** Keeps the keys of one attempt of a restarted job apart from those of the next. */
  readonly attempt: string;
  /** What started it, for people. */
  readonly launcher: string;
}

const MOST_RANKS = 1 << 20;
const PORTS = { min: 1, max: 65535 };
/** The port of a SLURM job is computed from its number. These ports lie below those that Linux gives to outgoing connections. */
const SLURM_PORTS = { from: 12_000, count: 20_000 };
/** From this number on, a step was not started by srun: the batch script, the interactive shell, the external step. */
const FIRST_RESERVED_STEP = 0xff_ff_ff_f0;

interface Launcher {
  readonly name: string;
  /** True where the variables of this launcher are set. */
  readonly isSeen: (env: Environment) => boolean;
  readonly read: (env: Environment) => Omit<Ranks, 'launcher'> | null;
}

function refusal(name: string, expected: string, found: string | undefined, why: string): SplitgrowError {
  return new SplitgrowError(
    'E_DISTRIBUTED',
    `environment variable ${name}: expected ${expected} (${why}), got ${
      found === undefined ? 'none' : `"${found}"`
    }; start the ranks with splitgrow launch, torchrun --no-python or srun, or set WORLD_SIZE=1 for one process`,
  );
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** Why the variable is needed. */
  readonly why: string;
}

/** A whole number of the environment. @throws E_DISTRIBUTED naming the variable */
export function wholeOf(env: Environment, name: string, { min, max, why }: Range): number {
  const text = env[name];
  const value = text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw refusal(name, `a whole number from ${min} to ${max}`, text, why);
}

function textOf(env: Environment, name: string, why: string): string {
  const text = env[name];
  if (text !== undefined && text !== '') return text;
  throw refusal(name, 'the name or address of the machine of rank 0', text, why);
}

/** RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT. */
function byVariables(env: Environment): Omit<Ranks, 'launcher'> | null {
  const some = ['RANK', 'WORLD_SIZE'].find((name) => env[name] !== undefined) ?? 'RANK';
  const world = wholeOf(env, 'WORLD_SIZE', { min: 1, max: MOST_RANKS, why: `${some} is set` });
  if (world === 1) return null;
  const why = `WORLD_SIZE says that there are ${world} ranks`;
  const rank = wholeOf(env, 'RANK', { min: 0, max: world - 1, why });
  return {
    rank,
    world,
    localRank: env.LOCAL_RANK === undefined ? 0 : wholeOf(env, 'LOCAL_RANK', { min: 0, max: rank, why }),
    host: textOf(env, 'MASTER_ADDR', why),
    port: wholeOf(env, 'MASTER_PORT', { ...PORTS, why }),
    isServer: rank === 0 && env.TORCHELASTIC_USE_AGENT_STORE !== 'True',
    attempt: `splitgrow-${env.TORCHELASTIC_RESTART_COUNT ?? '0'}`,
  };
}

/** The first machine of a list as SLURM writes it, such as "gpu[07-09,12],login1"; null where none can be read. */
export function firstHost(list: string): string | null {
  const first = /^(?:[^[\],\s]|\[[^\]]*\])+/.exec(list.trim())?.[0];
  // Of "[07-09,12]" the first number, with its zeros.
  const name = first?.replaceAll(/\[(\d+)[^\]]*\]/g, '$1');
  return name === undefined || name.includes('[') ? null : name;
}

/**
 * A task of an srun step. A batch script and the shell of salloc do not count: their variables describe the job, not a
 * process. A step of one task does not count either.
 */
function bySlurm(env: Environment): Omit<Ranks, 'launcher'> | null {
  const why = 'SLURM_STEP_ID says that srun started this process';
  const size = env.SLURM_STEP_NUM_TASKS === undefined ? 'SLURM_NTASKS' : 'SLURM_STEP_NUM_TASKS';
  const world = wholeOf(env, size, { min: 1, max: MOST_RANKS, why });
  if (world === 1) return null;
  const rank = wholeOf(env, 'SLURM_PROCID', { min: 0, max: world - 1, why });
  const number = (name: string): number => wholeOf(env, name, { min: 0, max: 2 ** 40, why });
  const [job, step] = [number('SLURM_JOB_ID'), number('SLURM_STEP_ID')];
  const hosts = env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST;
  return {
    rank,
    world,
    localRank: number('SLURM_LOCALID'),
    host:
      env.MASTER_ADDR ??
      firstHost(hosts ?? '') ??
      textOf({ SLURM_STEP_NODELIST: undefined }, 'SLURM_STEP_NODELIST', why),
    port:
      env.MASTER_PORT === undefined
        ? SLURM_PORTS.from + ((job * 31 + step) % SLURM_PORTS.count)
        : wholeOf(env, 'MASTER_PORT', { ...PORTS, why }),
    isServer: rank === 0,
    attempt: `splitgrow-${job}.${step}.${env.SLURM_RESTART_COUNT ?? '0'}`,
  };
}

/** mpirun tells ranks who they are, not where they meet. */
function byOpenMpi(env: Environment): Omit<Ranks, 'launcher'> | null {
  const why = 'OMPI_COMM_WORLD_SIZE says that mpirun started several ranks';
  const world = wholeOf(env, 'OMPI_COMM_WORLD_SIZE', { min: 1, max: MOST_RANKS, why });
  if (world === 1) return null;
  const rank = wholeOf(env, 'OMPI_COMM_WORLD_RANK', { min: 0, max: world - 1, why });
  return {
    rank,
    world,
    localRank: wholeOf(env, 'OMPI_COMM_WORLD_LOCAL_RANK', { min: 0, max: rank, why }),
    host: textOf(env, 'MASTER_ADDR', why),
    port: wholeOf(env, 'MASTER_PORT', { ...PORTS, why }),
    isServer: rank === 0,
    attempt: 'splitgrow-0',
  };
}

function isSlurmStep({ SLURM_STEP_ID: step, SLURM_PROCID: task }: Environment): boolean {
  return step !== undefined && task !== undefined && Number(step) < FIRST_RESERVED_STEP;
}

/** The first launcher that is seen decides. torchrun and `splitgrow launch` come first: within a SLURM job both sets of variables are there. */
const LAUNCHERS: readonly Launcher[] = [
  { name: 'torchrun', isSeen: (env) => env.TORCHELASTIC_RUN_ID !== undefined, read: byVariables },
  {
    name: 'RANK and WORLD_SIZE',
    isSeen: (env) =>
      env.WORLD_SIZE !== undefined ||
      (env.RANK !== undefined && (env.MASTER_ADDR !== undefined || env.MASTER_PORT !== undefined)),
    read: byVariables,
  },
  { name: 'SLURM', isSeen: isSlurmStep, read: bySlurm },
  { name: 'Open MPI', isSeen: (env) => env.OMPI_COMM_WORLD_SIZE !== undefined, read: byOpenMpi },
];

/**
 * This process as one of several ranks; null where there is one process.
 * @throws E_DISTRIBUTED where the variables are incomplete or impossible, naming the variable
 */
export function readRanks(env: Environment = process.env): Ranks | null {
  const launcher = LAUNCHERS.find(({ isSeen }) => isSeen(env));
  const ranks = launcher?.read(env) ?? null;
  return launcher === undefined || ranks === null ? null : { ...ranks, launcher: launcher.name };
}
