// What is disposed is given back: no growth over many cycles.
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { DatasetHandle, NetworkHandle } from '../../lib/native/face.js';
import { manyEpochs } from './epochs.js';
import { core, datasetOf, graphOf, indexing, networkOf, randomBatch, rates, training } from './golden.js';

const GRAPH = graphOf(
  [1, 4, 4],
  [
    ['conv', 'conv2d', 'input', { out: 8, kernel: 3 }],
    ['norm', 'batch_norm', 'conv'],
    ['act', 'activation', 'norm', { kind: 'silu' }],
    ['flat', 'flatten', 'act'],
    ['hidden', 'linear', 'flat', { out: 32 }],
    ['out', 'linear', 'hidden', { out: 2 }],
  ],
);
/** 18 KB; the network's values and gradients are 34 KB. */
const BATCH = randomBatch([1, 4, 4], 2, 256, 1);
const MIB = 2 ** 20;

/** Resident bytes gained by the cycles after the first tenth, which warms allocators up. */
async function growth(cycles: number, cycle: () => unknown): Promise<number> {
  let before = 0;
  for (let i = 0; i < cycles; i += 1) {
    if (i === cycles / 10) before = process.memoryUsage.rss();
    await cycle();
  }
  return process.memoryUsage.rss() - before;
}

/** Under sanitizers freed memory waits in quarantine: the process grows whatever the addon does. */
const IS_SANITIZED = process.env.ASAN_OPTIONS !== undefined;

test.skipIf(IS_SANITIZED)('10,000 networks and datasets made and disposed do not grow memory', async () => {
  const gained = await growth(10_000, () => {
    const made: (NetworkHandle | DatasetHandle)[] = [networkOf(GRAPH), datasetOf(BATCH, 2)];
    for (const handle of made) handle.dispose();
  });
  // 9,000 leaked pairs would be 450 MiB; the JavaScript heap's own swings stay below 60.
  expect(gained).toBeLessThan(60 * MIB);
});

test.skipIf(IS_SANITIZED)(
  '200 rounds of training, indices and directions that are disposed do not grow memory',
  async () => {
    const network = networkOf(GRAPH);
    const data = datasetOf(BATCH, 2);
    const gained = await growth(200, async () => {
      await core().train(
        network,
        data,
        training(128, rates(2, 0.01), { momentum: 0.9 }),
        () => {},
        core().createAbort(),
      );
      const { directions } = await core().indices(network, data, indexing(GRAPH, 'exact'), null, null);
      core().readDirections(directions);
      directions.dispose();
    });
    // A round's splitting matrices take 2 MiB (32 of 128 x 128 floats): leaked, 180 rounds would be 360 MiB.
    expect(gained).toBeLessThan(60 * MIB);
  },
);

/** Epochs whose calls are made; `npm run test:memory` asks for more and wants the record. */
const EPOCHS = Number(process.env.SPLITGROW_MEMORY_EPOCHS ?? 1_000);
const LOOKS = 10;

test.skipIf(IS_SANITIZED)(
  `the calls of ${EPOCHS} epochs, with indices and growth, hold no more at their end`,
  async () => {
    const found = await manyEpochs(EPOCHS, LOOKS);
    expect(found.length).toBe(LOOKS);
    // The first fifth warms allocators and compilers up.
    const [first, ...later] = found.slice(LOOKS / 5);
    for (const { epoch, tensors, resident } of later) {
      // Tensors are counted: leaked ones show, however small.
      expect(tensors, `epoch ${epoch}`).toBe(first?.tensors);
      // What else a call might leave behind, 20 KiB of it in each of 800 epochs; allocators' own swings stay below 8 MiB.
      expect(resident - (first?.resident ?? 0), `epoch ${epoch}`).toBeLessThan(16 * MIB);
    }
    const record = process.env.SPLITGROW_MEMORY_RECORD;
    if (record) writeFileSync(record, JSON.stringify(found));
  },
  6_000_000,
);
