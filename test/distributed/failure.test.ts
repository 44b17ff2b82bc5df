// Ranks that are killed, stopped, late or of another experiment.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Ended, errorLine, splitgrow, start } from '../cli/command-line.js';
import { meeting } from './processes.js';
import { childrenOf, hasBegun, LONG, pause, writeExperiment } from './runs.js';

/** Ranks of one command, by variables alone. */
async function startRanks(world: number, words: (rank: number) => readonly string[], env = {}) {
  const common = { ...(await meeting(world)), ...env };
  return Array.from({ length: world }, (_, rank) => start(words(rank), { ...common, RANK: String(rank) }));
}

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
  const env = { TMPDIR: folder, SPLITGROW_RANK_TIMEOUT: '2' };
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
    expectDistributed(outcome, /the experiment: .* on rank 1;/);
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

test('launch within a rank is refused', async () => {
  const env = { ...(await meeting(2)), RANK: '0' };
  const outcome = await splitgrow(['launch', '--processes', '2', '--', 'grow', 'x.json'], env);
  expect(errorLine(outcome)).toMatchObject({
    code: 'E_DISTRIBUTED',
    text: expect.stringMatching(/rank 0 of 2/),
  });
});
