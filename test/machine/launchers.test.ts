// Which rank a process is, by launcher: tables of environment variables as torchrun, SLURM, Kubernetes and Open MPI set them.

import { describe, expect, test } from 'vitest';
import type { Environment } from '../../lib/machine/environment.js';
import { firstHost, readRanks } from '../../lib/machine/launchers.js';
import { codeOf, messageOf } from '../reference.js';

const POD = { RANK: '1', WORLD_SIZE: '3', MASTER_ADDR: 'job-master-0', MASTER_PORT: '23456' };
const TORCHRUN = {
  ...{ RANK: '3', WORLD_SIZE: '4', LOCAL_RANK: '1', MASTER_ADDR: '10.0.0.1', MASTER_PORT: '29500' },
  ...{ TORCHELASTIC_RUN_ID: 'none', TORCHELASTIC_USE_AGENT_STORE: 'True', TORCHELASTIC_RESTART_COUNT: '2' },
};
const STEP = {
  ...{ SLURM_JOB_ID: '4711', SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '16', SLURM_NTASKS: '16' },
  ...{ SLURM_PROCID: '9', SLURM_LOCALID: '1', SLURM_STEP_NODELIST: 'gpu[07-08]' },
  SLURM_LAUNCH_NODE_IPADDR: '10.9.9.9',
};
const MPI = {
  ...{ OMPI_COMM_WORLD_RANK: '2', OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_RANK: '0' },
  ...{ MASTER_ADDR: 'n1', MASTER_PORT: '29500' },
};

test('one process is no group of ranks', () => {
  const alone: readonly Environment[] = [
    {},
    { WORLD_SIZE: '1', RANK: '0' },
    { ...TORCHRUN, WORLD_SIZE: '1', RANK: '0' },
    { ...STEP, SLURM_STEP_NUM_TASKS: '1', SLURM_NTASKS: '1', SLURM_PROCID: '0' },
    // A batch script and the shell of salloc: the job's variables, and those of a step that is none of srun's.
    { SLURM_JOB_ID: '4711', SLURM_NTASKS: '16', SLURM_PROCID: '0', SLURM_LOCALID: '0' },
    { ...STEP, SLURM_STEP_ID: '4294967291', SLURM_PROCID: '0' },
    { ...STEP, SLURM_STEP_ID: '4294967290', SLURM_PROCID: '0' },
    // Tasks that each do work of their own.
    { ...STEP, WORLD_SIZE: '1' },
    { ...MPI, OMPI_COMM_WORLD_SIZE: '1', OMPI_COMM_WORLD_RANK: '0' },
    // A variable of that name alone says nothing.
    { RANK: '5' },
  ];
  for (const env of alone) expect(readRanks(env), JSON.stringify(env)).toBeNull();
});

test.each([
  [
    'a pod of a PyTorchJob',
    POD,
    { rank: 1, world: 3, localRank: 0, host: 'job-master-0', port: 23456, isServer: false },
  ],
  ["a PyTorchJob's master", { ...POD, RANK: '0' }, { rank: 0, isServer: true, attempt: 'splitgrow-0' }],
  [
    'torchrun',
    TORCHRUN,
    { rank: 3, world: 4, localRank: 1, port: 29500, launcher: 'torchrun', attempt: 'splitgrow-2' },
  ],
  [
    "torchrun's rank 0, whose agent serves the store",
    { ...TORCHRUN, RANK: '0', LOCAL_RANK: '0' },
    { isServer: false },
  ],
  [
    "torchrun's rank 0 without it",
    { ...TORCHRUN, RANK: '0', LOCAL_RANK: '0', TORCHELASTIC_USE_AGENT_STORE: 'False' },
    { isServer: true },
  ],
  [
    'a task of srun; the machine that srun was called on is not where rank 0 is',
    STEP,
    {
      rank: 9,
      world: 16,
      localRank: 1,
      host: 'gpu07',
      port: 12_000 + ((4711 * 31) % 20_000),
      isServer: false,
    },
  ],
  ['the first task', { ...STEP, SLURM_PROCID: '0', SLURM_LOCALID: '0' }, { rank: 0, isServer: true }],
  [
    'a task with a rendezvous of its own',
    { ...STEP, MASTER_ADDR: 'ib-gpu07', MASTER_PORT: '1234' },
    { host: 'ib-gpu07', port: 1234, launcher: 'SLURM' },
  ],
  ['a job that was requeued', { ...STEP, SLURM_RESTART_COUNT: '2' }, { attempt: 'splitgrow-4711.0.2' }],
  ['torchrun within srun', { ...STEP, ...TORCHRUN }, { rank: 3, world: 4, launcher: 'torchrun' }],
  ['mpirun', MPI, { rank: 2, world: 4, localRank: 0, host: 'n1', port: 29500, launcher: 'Open MPI' }],
] as const)('%s', (_, env, want) => {
  expect(readRanks(env)).toMatchObject(want);
});

test('two steps of a job, and two jobs, meet at ports of their own', () => {
  const ports = ['0', '1'].flatMap((SLURM_STEP_ID) =>
    ['4711', '4712'].map((SLURM_JOB_ID) => readRanks({ ...STEP, SLURM_STEP_ID, SLURM_JOB_ID })?.port),
  );
  expect(new Set(ports).size).toBe(4);
});

describe('half-set and impossible variables are E_DISTRIBUTED and named:', () => {
  test.each([
    [POD, 'RANK', [undefined, '3', '-1', '']],
    [POD, 'WORLD_SIZE', [undefined, 'two', '0']],
    [POD, 'MASTER_ADDR', [undefined, '']],
    [POD, 'MASTER_PORT', [undefined, '70000', '0']],
    [TORCHRUN, 'LOCAL_RANK', ['4', 'x']],
    [TORCHRUN, 'WORLD_SIZE', [undefined]],
    [STEP, 'SLURM_PROCID', ['16', 'x']],
    [STEP, 'SLURM_LOCALID', [undefined]],
    [STEP, 'SLURM_JOB_ID', [undefined]],
    [STEP, 'SLURM_STEP_NODELIST', [undefined, '', '[]']],
    [STEP, 'SLURM_STEP_NUM_TASKS', ['many']],
    [MPI, 'MASTER_ADDR', [undefined]],
    [MPI, 'MASTER_PORT', [undefined]],
    [MPI, 'OMPI_COMM_WORLD_RANK', [undefined, '4']],
  ] as const)('%#: %o without a good %s', (whole, name, values) => {
    for (const value of values) {
      const env: Environment = { ...whole, [name]: value };
      expect(
        codeOf(() => readRanks(env)),
        `${name}=${value}`,
      ).toBe('E_DISTRIBUTED');
      expect(messageOf(() => readRanks(env))).toContain(`environment variable ${name}:`);
    }
  });
});

test.each([
  ['gpu7', 'gpu7'],
  ['gpu7,gpu9', 'gpu7'],
  ['gpu[07-09,12]', 'gpu07'],
  ['gpu[3,1-2]', 'gpu3'],
  ['gpu[07-09],login1', 'gpu07'],
  ['rack[1-2]node[01-16].cluster', 'rack1node01.cluster'],
  ['a.b-c_d', 'a.b-c_d'],
  ['', null],
  ['[1-2', null],
  ['gpu[x-y]', null],
])('the first machine of %s is %s', (list, first) => {
  expect(firstHost(list)).toBe(first);
});
