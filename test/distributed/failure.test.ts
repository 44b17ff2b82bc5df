// Ranks that are killed, stopped, late or of another experiment.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newId, thisProcess } from '../../lib/machine/files/owner.js';
import { type Ended, errorLine, splitgrow, start } from '../cli/command-line.js';
import { meeting } from './processes.js';
import { childrenOf, hasBegun, isRunning, LONG, pause, writeExperiment } from './runs.js';

/** Ranks of one command, by variables alone. */
async function startRanks(world: number, words: (rank: number) => readonly string[], env = {}) {
  const common = { ...(await meeting(world)), ...env };
  return Array.from({ length: world }, (_, rank) => start(words(rank), { ...common, RANK: String(rank) }));
}

/** Folders in which ranks work that keep nothing. */
const placesIn = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => name.startsWith('.splitgrow-'));

function expectDistributed(outcome: Ended | undefined, text: RegExp): void {
  expect(outcome?.code).toBe(1);
  expect(outcome?.stderr).toMatch(/splitgrow: E_DISTRIBUTED: /);
  expect(outcome?.stderr).toMatch(text);
}

test('a killed rank ends the others, who name it; a rerun goes on from the checkpoint', async () => {
  const { folder, file } = await writeExperiment(LONG);
  const env = { TMPDIR: folder };
  const words = ['launch', '--processes', '3', '--', 'grow', file];
  const { child, ended } = start(words, env);
  await hasBegun(folder);
  process.kill(childrenOf(child.pid)[1] ?? 0, 'SIGKILL');
  const outcome = await ended;
  expectDistributed(outcome, /rank 1 does not answer/);
  expect(outcome.stderr).toMatch(/rank 1 was killed by SIGKILL/);
  const checkpoint = /^checkpoint-0-(\d+)$/;
  // The last two are kept.
  const epochs = readdirSync(join(folder, 'run')).map((name) => Number(checkpoint.exec(name)?.[1] ?? -1));
  const epoch = Math.max(...epochs);
  expect(epoch).toBeGreaterThan(0);
  // Goes on, and not from the start: the very next epoch is the first that a shorter-lived rank 0 tells.
  const again = start(words, env);
  const next = `epoch ${epoch + 1} of ${LONG}`;
  let told = '';
  again.child.stderr?.on('data', (text: string) => {
    told += text;
    if (told.includes(next)) again.child.kill('SIGTERM');
  });
  await again.ended;
  expect(told).toContain(next);
  expect(told).not.toMatch(/epoch 1 of \d/);
});

test('a rank that hangs is noticed by the time limit, and named', async () => {
  const { folder, file } = await writeExperiment(LONG);
  const env = { TMPDIR: folder, SPLITGROW_RANK_TIMEOUT: '20' };
  const [first, second] = await startRanks(2, () => ['grow', file], env);
  await hasBegun(folder);
  second?.child.kill('SIGSTOP');
  try {
    expectDistributed(await first?.ended, /rank 1 does not answer: ended, stopped or out of reach/);
  } finally {
    second?.child.kill('SIGKILL');
  }
});

test("rank 0's death ends the others, who cannot ask whom they miss", async () => {
  const { folder, file } = await writeExperiment(LONG);
  const [first, second] = await startRanks(2, () => ['grow', file], { TMPDIR: folder });
  await hasBegun(folder);
  first?.child.kill('SIGKILL');
  expectDistributed(await second?.ended, /what serves it \(rank 0, or torchrun's agent\) has ended/);
});

test('a worker waits for a master that starts later; ranks of different experiments refuse each other', async () => {
  const { folder, file } = await writeExperiment(1);
  const env = { ...(await meeting(2)), TMPDIR: folder };
  const worker = start(['train', file, '--set', 'seed=4'], { ...env, RANK: '1' });
  await pause(1500);
  const master = await splitgrow(['train', file], { ...env, RANK: '0' });
  for (const outcome of [master, await worker.ended])
    expect({ exitCode: outcome.code, ...errorLine(outcome) }).toEqual({
      exitCode: 2,
      code: 'E_RANKS',
      text: expect.stringMatching(
        /^the experiment: expected the same on all 2 ranks, got seed 3 on rank 0 and 4 on rank 1; /,
      ),
    });
});

test('a rank that never comes is named', async () => {
  const { file } = await writeExperiment(1);
  const env = { ...(await meeting(3)), SPLITGROW_RANK_TIMEOUT: '1', RANK: '0' };
  expect(errorLine(await splitgrow(['train', file], env))).toMatchObject({
    code: 'E_DISTRIBUTED',
    text: expect.stringMatching(/after 1 s ranks 1, 2 had not joined/),
  });
});

test('what one rank fails by is told by the others', async () => {
  const { folder, file } = await writeExperiment(2);
  const lacking = ['--set', `data.file=${join(folder, 'none.safetensors')}`];
  const ranks = await startRanks(2, (rank) => ['train', file, ...(rank === 1 ? lacking : [])]);
  const [first, second] = await Promise.all(ranks.map(({ ended }) => ended));
  expectDistributed(first, /rank 1 ended by E_\w+: .*none\.safetensors/);
  expect(second?.code).toBe(2);
});

test.each([0, 2])(
  'a killed rank %i gives one line with its number and signal, and no folder stays',
  async (rank) => {
    const { folder, file } = await writeExperiment(LONG);
    const { child, ended } = start(['launch', '--processes', '3', '--', 'grow', file], { TMPDIR: folder });
    await hasBegun(folder);
    process.kill(childrenOf(child.pid)[rank] ?? 0, 'SIGKILL');
    const outcome = await ended;
    expect(outcome.code).toBe(1);
    const told = outcome.stderr.split('\n').filter((line) => line.includes('was killed by'));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(new RegExp(`^splitgrow: E_DISTRIBUTED: rank ${rank} was killed by SIGKILL`));
    expect(placesIn(folder)).toEqual([]);
  },
);

test('every one of several killed ranks is told', async () => {
  const { folder, file } = await writeExperiment(LONG);
  const { child, ended } = start(['launch', '--processes', '3', '--', 'grow', file], { TMPDIR: folder });
  await hasBegun(folder);
  for (const pid of childrenOf(child.pid)) process.kill(pid, 'SIGKILL');
  const outcome = await ended;
  expect(outcome.code).toBe(1);
  for (const rank of [0, 1, 2])
    expect(outcome.stderr).toMatch(new RegExp(`E_DISTRIBUTED: rank ${rank} was killed by SIGKILL`));
});

test('the ranks of a launcher that is killed end, rank 0 with its checkpoint, and leave no folder', async () => {
  const { folder, file } = await writeExperiment(LONG);
  const { child, ended } = start(['launch', '--processes', '2', '--', 'grow', file], { TMPDIR: folder });
  await hasBegun(folder);
  const ranks = childrenOf(child.pid);
  expect(ranks).toHaveLength(2);
  child.kill('SIGKILL');
  await ended;
  while (ranks.some(isRunning)) await pause(20);
  expect(placesIn(folder)).toEqual([]);
  expect(existsSync(join(folder, 'run', 'run.lock'))).toBe(false);
});

test('a folder that a killed rank left is removed by the next one, and nothing that is not its own', async () => {
  const { folder, file } = await writeExperiment(LONG);
  const env = { TMPDIR: folder };
  const [first, second] = await startRanks(2, () => ['grow', file], env);
  await hasBegun(folder);
  const left = placesIn(folder);
  expect(left).toHaveLength(1);
  for (const one of [first, second]) one?.child.kill('SIGKILL');
  for (const one of [first, second]) await one?.ended;
  expect(existsSync(join(folder, left[0] ?? ''))).toBe(true);
  // Of somebody else, of a living process, and of one of another machine that nobody here can see.
  const ids = [newId(), newId()];
  const others = ['splitgrow-rank-mine', ...ids.map((id) => `.splitgrow-${id}`)].map((name) =>
    join(folder, name),
  );
  for (const other of others) mkdirSync(other);
  writeFileSync(join(others[0] ?? '', 'notes.txt'), 'kept');
  const living = { ...thisProcess(), id: ids[0] };
  const unseen = { ...thisProcess(), id: ids[1], kernel: 'another' };
  for (const [at, owner] of [living, unseen].entries())
    writeFileSync(join(others[at + 1] ?? '', 'owner.json'), JSON.stringify(owner));
  const outcome = await splitgrow(
    ['launch', '--processes', '2', '--', 'train', file, '--set', 'fit.epochs=1'],
    env,
  );
  expect(outcome.code, outcome.stderr).toBe(2); // another experiment is in the folder
  expect(existsSync(join(folder, left[0] ?? ''))).toBe(false);
  for (const other of others) expect(existsSync(other)).toBe(true);
});

test('launch within a rank is refused', async () => {
  const env = { ...(await meeting(2)), RANK: '0' };
  const outcome = await splitgrow(['launch', '--processes', '2', '--', 'grow', 'x.json'], env);
  expect(errorLine(outcome)).toMatchObject({
    code: 'E_DISTRIBUTED',
    text: expect.stringMatching(/rank 0 of 2/),
  });
});
