// Runs whose disk is full or fails to sync for a while, and whose clock jumps: they go on, and end with the same bits.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { grow } from '../../lib/api/grow.js';
import { type Ended, start } from '../cli/command-line.js';
import { asRead, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

const EPOCHS = 25;
/** 300 minibatches an epoch: a stop is heard within one. */
const SIZES = { train: 4800, test: 40 };
const FIELDS = { fit: { epochs: EPOCHS, batch: 16, schedule: { kind: 'cosine' } }, stop: { stages: 0 } };

async function prepared(place?: string) {
  const folder = temporaryFolder();
  const output = place ?? join(folder, 'run');
  await writeTinyData(folder, SIZES);
  const file = join(folder, 'experiment.json');
  const experiment = { ...tinyExperiment(folder, output), ...FIELDS };
  await writeFile(file, JSON.stringify(experiment));
  return { folder, file, output };
}

const weightsIn = (output: string): Promise<Buffer> =>
  readFile(join(output, 'stage-0', 'weights.safetensors'));
const epochsIn = async (output: string): Promise<readonly number[]> =>
  (await readFile(join(output, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly type: string; readonly epoch: number })
    .filter(({ type }) => type === 'epoch')
    .map(({ epoch }) => epoch);

let expected: Buffer;
beforeAll(async () => {
  const { mkdtempSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-faults-'));
  await writeTinyData(folder, SIZES);
  await grow({ experiment: asRead({ ...tinyExperiment(folder), ...FIELDS }) });
  expected = await weightsIn(join(folder, 'run'));
  rmSync(folder, { recursive: true });
}, 600_000);

/** Runs it; calls `onFirst` at the first finished epoch, and `onWarning` at the first warning. */
async function watched(
  file: string,
  env: NodeJS.ProcessEnv,
  { onFirst, onWarning }: { readonly onFirst: () => void; readonly onWarning: () => void },
): Promise<Ended> {
  const { child, ended } = start(['grow', file], env);
  let text = '';
  let calls = 0;
  child.stderr?.on('data', (piece: string) => {
    text += piece;
    if (calls === 0 && /epoch \d+ of/.test(text)) {
      calls = 1;
      onFirst();
    }
    if (calls === 1 && text.includes('WARNING')) {
      calls = 2;
      onWarning();
    }
  });
  return ended;
}

/** fsync and fdatasync fail with EIO while the file that FAILING_SYNC names exists. */
const SHIM = `#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>
static int fails(void) {
  const char* file = getenv("FAILING_SYNC");
  if (!file || access(file, F_OK) != 0) return 0;
  errno = EIO;
  return 1;
}
int fsync(int fd) { return fails() ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return fails() ? -1 : (int)syscall(SYS_fdatasync, fd); }
`;

test('syncing that fails for a while costs checkpoints, not the run; at the start it is E_WRITE', async ({
  skip,
}) => {
  const { folder, file, output } = await prepared();
  const [source, shim, flag] = ['shim.c', 'shim.so', 'failing'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(source, SHIM);
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-o', shim, source], { stdio: 'ignore' });
  } catch {
    skip('no C compiler named cc');
  }
  const env = { LD_PRELOAD: shim, FAILING_SYNC: flag };
  writeFileSync(flag, '');
  const refused = await start(['grow', file], env).ended;
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/E_WRITE.*EIO/) });
  rmSync(flag);
  const { code, stderr } = await watched(file, env, {
    onFirst: () => writeFileSync(flag, ''),
    onWarning: () => rmSync(flag),
  });
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/WARNING.*EIO/);
  expect((await weightsIn(output)).equals(expected)).toBe(true);
  expect(await epochsIn(output)).toEqual(Array.from({ length: EPOCHS }, (_, i) => i));
});

test('a disk that is full for a while costs checkpoints, not the run', async ({ skip }) => {
  const place = join(temporaryFolder(), 'disk');
  mkdirSync(place);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', place], { stdio: 'ignore' });
  } catch {
    skip('a file system of its own takes the right to mount one');
  }
  onTestFinished(() => void execFileSync('umount', ['-l', place]));
  const { file, output } = await prepared(join(place, 'run'));
  const filler = join(place, 'filler');
  const fill = (): void => {
    try {
      writeFileSync(filler, new Uint8Array(4 << 20));
    } catch {
      // That is the point: what fits is written.
    }
  };
  const { code, stderr } = await watched(file, {}, { onFirst: fill, onWarning: () => rmSync(filler) });
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/WARNING.*the disk is full/);
  expect((await weightsIn(output)).equals(expected)).toBe(true);
  expect(await epochsIn(output)).toEqual(Array.from({ length: EPOCHS }, (_, i) => i));
  expect((await readdir(output)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a clock that jumps back an hour at every look changes nothing: kept, stopped and gone on with', async () => {
  const { folder, file, output } = await prepared();
  const clock = join(folder, 'clock.mjs');
  await writeFile(
    clock,
    `let shift = 0; const { now } = Date;
     Date.now = () => now() - (shift += 3600e3);
     globalThis.Date = class extends Date { constructor(...of) { super(...(of.length ? of : [Date.now()])); } };`,
  );
  const env = { NODE_OPTIONS: `--import=${clock}` };
  const set = ['--set', 'checkpoint.minutes=0.0005'];
  const { child, ended } = start(['grow', file, ...set], env);
  child.stderr?.once('data', () => child.kill('SIGTERM'));
  const stopped = await ended;
  expect(stopped.code, stopped.stderr).toBe(143);
  expect(stopped.stderr).toMatch(/E_ABORTED: stopped after minibatch/);
  const rest = await start(['grow', file, ...set], env).ended;
  expect(rest.code, rest.stderr).toBe(0);
  expect(rest.stderr).toMatch(/continues after epoch \d+ of stage 0 and minibatch \d+/);
  expect((await weightsIn(output)).equals(expected)).toBe(true);
});
