// Aborting: every long function rejects with E_ABORTED and leaves nothing half written.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors.js';
import {
  bench,
  benchSplitting,
  compare,
  evaluate,
  exportNetwork,
  forward,
  getData,
  grow,
  importWeights,
  indices,
  parseExperiment,
  type RunControl,
  reproduce,
  split,
  train,
} from '../../lib/index.js';
import { asRead, temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';
import { batchTensors, writeNetwork } from './batch-files.js';

/** What every function needs, written before it is called. */
async function prepared() {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const network = await writeNetwork(folder);
  const batch = join(folder, 'batch.safetensors');
  await writeSafetensors(batch, batchTensors(8));
  const directions = join(folder, 'directions.safetensors');
  await indices({ network, batch, directions, method: 'exact', threads: 1 });
  const out = join(folder, 'out');
  const experiment = { ...tinyExperiment(folder, out), compare: [{ method: 'scratch', at: 'last' }] };
  return { folder, network, batch, directions, out, experiment };
}
type Given = Awaited<ReturnType<typeof prepared>>;

const CALLS: Readonly<Record<string, (given: Given, control: RunControl) => Promise<unknown>>> = {
  grow: ({ experiment }, control) => grow(asRead(experiment), control),
  train: ({ experiment }, control) => train(asRead(experiment), control),
  compare: ({ experiment }, control) =>
    compare({ ...experiment, compare: [{ method: 'width-multiplier', targets: [9999] }] }, control),
  forward: ({ network, batch, out }, control) => forward({ network, batch, out }, control),
  indices: ({ network, batch, out }, control) => indices({ network, batch, directions: out }, control),
  split: ({ network, directions, out }, control) =>
    split({ network, plan: { splits: { stem: [0] } }, directions, epsilon: 0.1, out }, control),
  evaluate: ({ network, experiment }, control) =>
    evaluate({ network, data: parseExperiment(experiment).data }, control),
  bench: ({ network }, control) => bench({ network, batchSize: 4, repeats: 2 }, control),
  benchSplitting: ({ network, out }, control) =>
    benchSplitting({ network, images: 64, widths: [1], out }, control),
  exportNetwork: ({ network, out }, control) => exportNetwork({ network, safetensors: out }, control),
  importWeights: ({ batch, out }, control) =>
    importWeights({ weights: batch, from: 'timm', preset: 'mobilenet_v1', out }, control),
  getData: ({ folder }, { signal }) =>
    getData({ name: 'cifar10' }, { signal, env: { SPLITGROW_DATA: folder } }),
  reproduce: ({ out }, { signal }) => reproduce({ id: 'fig3', scale: 'smoke', out }, { signal }),
};

test('a signal that fired before is found before anything is written', { timeout: 1_200_000 }, async () => {
  const given = await prepared();
  const before = readdirSync(given.folder);
  for (const [name, call] of Object.entries(CALLS)) {
    const failure: unknown = await call(given, { signal: AbortSignal.abort() }).then(
      () => 'no error',
      (error: unknown) => error,
    );
    expect(failure, name).toMatchObject({ code: 'E_ABORTED' });
    expect(existsSync(given.out), name).toBe(false);
  }
  expect(readdirSync(given.folder)).toEqual(before);
});

/** Work that would take hours. */
const LONG: typeof CALLS = {
  indices: ({ network, batch, out }, control) =>
    indices({ network, batch, directions: out, method: 'rayleigh', epochs: 10_000_000 }, control),
  bench: ({ network }, control) => bench({ network, batchSize: 64, repeats: 1_000_000 }, control),
  grow: ({ experiment }, control) =>
    grow(
      { experiment: asRead(experiment), set: ['splitting.epochs=1000000', 'splitting.method=rayleigh'] },
      control,
    ),
};

test.each(Object.entries(LONG))('a signal that fires while %s works ends it', async (name, call) => {
  const given = await prepared();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 300);
  await expect(call(given, { signal: controller.signal })).rejects.toMatchObject({ code: 'E_ABORTED' });
  clearTimeout(timer);
  if (name !== 'grow') expect(existsSync(given.out)).toBe(false);
  // What was there before is as it was.
  expect((await readSafetensors(given.directions)).size).toBeGreaterThan(0);
});
