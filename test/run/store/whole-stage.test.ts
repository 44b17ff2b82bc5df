// Finished stages whose files are damaged or missing: put back or written anew where the output still holds what that needs, else refused by name.
import { existsSync, mkdtempSync } from 'node:fs';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compare } from '../../../lib/api/compare.js';
import { evaluate } from '../../../lib/api/evaluate.js';
import { exportNetwork } from '../../../lib/api/export.js';
import { grow } from '../../../lib/api/grow.js';
import { show } from '../../../lib/api/show.js';
import { train } from '../../../lib/api/train.js';
import type { RunEvent } from '../../../lib/native/events.js';
import { parseData } from '../../../lib/run/spec/spec.js';
import { readRun } from '../../../lib/run/store/read.js';
import { asRead, temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

let folder: string;
/** A run of three stages, and a training, both finished. */
const whole = { grown: '', trained: '' };
const SET = ['splitting.method=exact', 'fit.epochs=1'];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'splitgrow-whole-'));
  await writeTinyData(folder);
  whole.grown = join(folder, 'grown');
  whole.trained = join(folder, 'trained');
  await grow({ experiment: tinyExperiment(folder, whole.grown), set: SET });
  await train({ experiment: tinyExperiment(folder, whole.trained), set: SET });
  return () => rm(folder, { recursive: true, force: true });
}, 600_000);

async function copied(of: string): Promise<string> {
  const output = join(temporaryFolder(), 'run');
  await cp(of, output, { recursive: true });
  return output;
}

/** Flips a bit in the middle of a file, or changes a digit of its JSON. */
async function damage(file: string): Promise<void> {
  const bytes = await readFile(file);
  if (file.endsWith('.json')) {
    const text = bytes.toString();
    return writeFile(
      file,
      text.replace(/:(\s*)(\d)/, (_, blank, digit) => `:${blank}${(Number(digit) + 1) % 10}`),
    );
  }
  const at = bytes.length - 5;
  bytes[at] = (bytes[at] ?? 0) ^ 0x40;
  return writeFile(file, bytes);
}

/** Runs on in a copy, and gives the notes that say WARNING. */
async function again(
  work: typeof grow | typeof train,
  output: string,
): Promise<{ readonly warnings: readonly string[]; readonly summary: unknown }> {
  const warnings: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'note' && event.text.startsWith('WARNING')) warnings.push(event.text);
  };
  const summary = await work({ experiment: tinyExperiment(folder, output), set: SET }, { onEvent });
  return { warnings, summary };
}

const FILES = ['weights.safetensors', 'network.json', 'stage.json'] as const;
/** What happens to a file. */
const HURTS: readonly (readonly [string, (file: string) => Promise<void>])[] = [
  ['damaged', damage],
  ['missing', (file) => rm(file)],
];

test.each(FILES.flatMap((file) => HURTS.map(([what, hurt]) => [file, what, hurt] as const)))(
  '%s of the last stage, %s: the stage is whole again after the next call',
  async (name, what, hurt) => {
    const output = await copied(whole.grown);
    const stage = join(output, 'stage-2');
    await hurt(join(stage, name));
    const { warnings } = await again(grow, output);
    for (const file of ['weights.safetensors', 'network.json']) {
      const want = await readFile(join(whole.grown, 'stage-2', file));
      expect((await readFile(join(stage, file))).equals(want), file).toBe(true);
    }
    expect(existsSync(join(stage, `damaged-${name}`))).toBe(what === 'damaged');
    // A missing record is that of a stage which is not finished: nothing is amiss.
    expect(warnings).toHaveLength(name === 'stage.json' && what === 'missing' ? 0 : 1);
    const { stages } = await readRun(output);
    expect(stages.map(({ ended }) => ended)).toEqual([null, null, 'stages']);
    // And it stays so.
    expect((await again(grow, output)).warnings).toEqual([]);
  },
);

test.each(FILES.flatMap((file) => HURTS.map(([what, hurt]) => [file, what, hurt] as const)))(
  '%s of the first stage, %s, of which nothing is left: the file is named, and nothing is removed',
  async (name, _what, hurt) => {
    const output = await copied(whole.grown);
    const file = join(output, 'stage-0', name);
    await hurt(file);
    const before = (await readdir(output)).sort();
    const refused = again(grow, output);
    await expect(refused).rejects.toMatchObject({ code: 'E_RESUME' });
    await expect(refused).rejects.toThrow(file);
    await expect(refused).rejects.toThrow(/put (a copy|one back)/);
    await expect(refused).rejects.not.toThrow(/remove/);
    expect((await readdir(output)).sort()).toEqual(before);
    await cp(join(whole.grown, 'stage-0', name), file);
    expect((await again(grow, output)).warnings).toEqual([]);
  },
);

test('a file of an earlier stage is put back from a copy that the output holds', async () => {
  const output = await copied(whole.grown);
  await cp(join(output, 'stage-0'), join(output, 'best', 'stage-0'), { recursive: true });
  await damage(join(output, 'stage-0', 'weights.safetensors'));
  const { warnings } = await again(grow, output);
  expect(warnings).toEqual([
    expect.stringMatching(/stage-0\/weights\.safetensors: expected SHA-256 .* put back from .*best/),
  ]);
  await evaluate({
    network: join(output, 'stage-0'),
    data: parseData({ file: join(folder, 'data.safetensors') }),
  });
});

test.each(FILES)('%s of a training: it is written anew from its checkpoint', async (name) => {
  const output = await copied(whole.trained);
  await damage(join(output, name));
  expect((await again(train, output)).warnings).toHaveLength(1);
  const want = await readFile(join(whole.trained, 'weights.safetensors'));
  expect((await readFile(join(output, 'weights.safetensors'))).equals(want)).toBe(true);
  expect((await again(train, output)).warnings).toEqual([]);
});

test('a training without a checkpoint refuses a damaged file by name', async () => {
  const output = await copied(whole.trained);
  for (const name of await readdir(output))
    if (name.startsWith('checkpoint-')) await rm(join(output, name), { recursive: true });
  const file = join(output, 'weights.safetensors');
  await damage(file);
  await expect(again(train, output)).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringMatching(new RegExp(`^${file}: expected SHA-256`)),
  });
});

test('whoever reads damaged weights is refused', async () => {
  const output = await copied(whole.grown);
  const network = join(output, 'stage-1');
  const data = parseData({ file: join(folder, 'data.safetensors') });
  await damage(join(network, 'weights.safetensors'));
  await expect(evaluate({ network, data })).rejects.toMatchObject({ code: 'E_SAFETENSORS' });
  await expect(exportNetwork({ network, safetensors: join(output, 'x.safetensors') })).rejects.toMatchObject({
    code: 'E_SAFETENSORS',
  });
});

test('a network directory is its two files: who changed network.json on purpose reads the changed one', async () => {
  const output = await copied(whole.grown);
  const network = join(output, 'stage-1');
  const file = join(network, 'network.json');
  await writeFile(file, (await readFile(file, 'utf8')).replace('"kind": "silu"', '"kind": "relu"'));
  expect((await show({ network })).nodes.some(({ form }) => form === 'activation relu')).toBe(true);
});

test('rivals are not made from a damaged stage', async () => {
  const output = await copied(whole.grown);
  await damage(join(output, 'stage-1', 'weights.safetensors'));
  const experiment = { ...tinyExperiment(folder, output), compare: ['width-multiplier'] };
  await expect(compare({ experiment: asRead(experiment), set: SET })).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining(join('stage-1', 'weights.safetensors')),
  });
});
