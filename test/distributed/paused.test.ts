// Ranks that are stopped, all or one, pause after the same minibatch and go on to the bits of ranks that were not.
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Ended, splitgrow, start } from '../cli/command-line.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';

/** Batch statistics are each rank's own, so that the checkpoint has to keep them by rank. */
const FIELDS = {
  fit: { epochs: 6, batch: 16, schedule: { kind: 'cosine' }, average: { decay: 0.9 } },
  splitting: { method: 'rayleigh', epochs: 3, batch: 16, epsilon: 0.1 },
  stop: { stages: 1 },
};

function weightsIn(output: string): readonly string[] {
  const read = (stage: number): string =>
    readFileSync(join(output, `stage-${stage}`, 'weights.safetensors')).toString('hex');
  return [read(0), read(1)];
}

test('two ranks stopped by a signal to all, then by one to the second alone', {
  timeout: 600_000,
}, async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder, { train: 320, test: 16 });
  const file = join(folder, 'experiment.json');
  await writeFile(file, JSON.stringify({ ...tinyExperiment(folder), ...FIELDS }));
  const env = { TMPDIR: folder };
  const words = (output: string, minutes: number): string[] => [
    ...['launch', '--processes', '2', '--', 'grow', file],
    ...['--set', `output=${output}`, '--set', `checkpoint.minutes=${minutes}`],
  ];
  const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
  const plain = await splitgrow(words(whole, 0), env);
  expect(plain.code, plain.stderr).toBe(0);

  /** Runs it and, where `pattern` is first said, signals the launcher, or its last child alone. */
  const stopped = async (pattern: RegExp, who: 'launcher' | 'last rank'): Promise<Ended> => {
    const { child, ended } = start(words(broken, 0.002), env);
    let [text, isSent] = ['', false];
    child.stderr?.on('data', (piece: string) => {
      text += piece;
      if (isSent || !pattern.test(text)) return;
      isSent = true;
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
        .trim()
        .split(' ');
      if (who === 'launcher') child.kill('SIGTERM');
      else process.kill(Number(children.at(-1)), 'SIGTERM');
    });
    return ended;
  };
  const first = await stopped(/epoch 1 of/, 'launcher');
  expect(first.code, first.stderr).toBe(143);
  expect(first.stderr).toMatch(/E_ABORTED: stopped after minibatch \d+ of epoch \d+ of stage 0/);
  expect(readdirSync(broken).some((name) => /^checkpoint-0-\d+-fit-\d+$/.test(name))).toBe(true);
  const second = await stopped(/epoch 4 of/, 'last rank');
  expect(second.code, second.stderr).not.toBe(0);
  expect(second.stderr).toMatch(/continues after epoch \d+ of stage 0 and minibatch \d+/);
  expect(second.stderr).toMatch(/E_ABORTED: stopped after minibatch \d+/);
  const rest = await splitgrow(words(broken, 0.002), env);
  expect(rest.code, rest.stderr).toBe(0);
  expect(weightsIn(broken)).toEqual(weightsIn(whole));
});
