import { expect, test } from 'vitest';
import { readRanks } from '../../lib/distributed/ranks.js';
import { codeOf } from '../reference.js';

const COMPLETE = { RANK: '1', WORLD_SIZE: '3', MASTER_ADDR: '10.0.0.1', MASTER_PORT: '29500' };

test('one process is no group of ranks', () => {
  expect(readRanks({})).toBeNull();
  expect(readRanks({ WORLD_SIZE: '1', RANK: '0' })).toBeNull();
});

test("rank, size and rendezvous come from torchrun's variables", () => {
  expect(readRanks(COMPLETE)).toEqual({
    rank: 1,
    world: 3,
    host: '10.0.0.1',
    port: 29500,
    isServer: false,
    attempt: 'splitgrow-0',
  });
});

test("rank 0 serves the store unless torchrun's agent does, and a restart has keys of its own", () => {
  const first = { ...COMPLETE, RANK: '0' };
  expect(readRanks(first)?.isServer).toBe(true);
  const agent = readRanks({
    ...first,
    TORCHELASTIC_USE_AGENT_STORE: 'True',
    TORCHELASTIC_RESTART_COUNT: '2',
  });
  expect(agent?.isServer).toBe(false);
  expect(agent?.attempt).toBe('splitgrow-2');
});

test('incomplete or impossible variables are E_DISTRIBUTED', () => {
  for (const wrong of [
    { RANK: undefined },
    { RANK: '3' },
    { RANK: '-1' },
    { WORLD_SIZE: 'two' },
    { MASTER_PORT: undefined },
    { MASTER_PORT: '70000' },
  ]) {
    expect(codeOf(() => readRanks({ ...COMPLETE, ...wrong }))).toBe('E_DISTRIBUTED');
  }
});
