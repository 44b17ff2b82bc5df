// Images that cannot be read, left out: every mean is what a run without those files gives.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DatasetHandle, NetworkHandle, TrainOptions } from '../../../lib/native/face.js';
import { failureOf, inFolder } from '../../data/places.js';
import { assertClose } from '../../reference.js';
import { core, graphOf, indexing, networkOf, numbers, rates, training, weightsOf } from '../golden.js';
import { bytesOf, imageCore, imagesOf, sourceOf } from './files.js';

const CLASSES = 3;
const HEAD = [
  ['act', 'activation', 'norm', { kind: 'silu' }],
  ['pool', 'global_avg_pool', 'act'],
  ['out', 'linear', 'pool', { out: CLASSES }],
] as const;
const GRAPH = graphOf(
  [3, 16, 16],
  [['conv', 'conv2d', 'input', { out: 4, kernel: 3 }], ['norm', 'batch_norm', 'conv'], ...HEAD],
);
/** Without batch norm a minibatch in pieces is the same as in one. */
const PLAIN = graphOf([3, 16, 16], [['norm', 'conv2d', 'input', { out: 4, kernel: 3 }], ...HEAD]);

/** Minibatches of 4: one of 3 images that can be read, one of none, one of 3. */
const MARKS = 'ggbg bbbb gggb'.replaceAll(' ', '');
const GOOD = ['rgb.jpg', 'grey.jpg', 'alpha.png', 'turned-6.jpg', 'progressive.jpg', 'square.jpg'];

interface Both {
  /** Every file, and only those that can be read. */
  readonly all: DatasetHandle;
  readonly good: DatasetHandle;
}

async function withBoth(check: (both: Both) => Promise<void>, marks = MARKS): Promise<void> {
  await inFolder(async (folder) => {
    const names = [...marks].map((_, i) => `${i}.jpg`);
    let next = 0;
    names.forEach((name, i) => {
      const isGood = marks[i] === 'g';
      writeFileSync(join(folder, name), isGood ? bytesOf(GOOD[next++ % GOOD.length] ?? '') : 'no picture');
    });
    const of = (keep: (mark: string) => boolean, skipUnreadable: boolean): DatasetHandle => {
      const kept = [...marks].flatMap((mark, i) => (keep(mark) ? [i] : []));
      const labels = kept.map((i) => i % CLASSES);
      const source = sourceOf(
        folder,
        kept.map((i) => names[i] ?? ''),
        labels,
      );
      return imagesOf(source, { skipUnreadable, classes: CLASSES, workers: 2 });
    };
    const both = {
      all: of(() => true, true),
      good: of((mark) => mark === 'g' || !marks.includes('g'), false),
    };
    await check(both);
    for (const handle of Object.values(both)) handle.dispose();
  });
}

const network = (graph = GRAPH): NetworkHandle => networkOf(graph, new Map(), { dtype: 'float64' });

function expectEqualWeights(got: NetworkHandle, want: NetworkHandle): void {
  for (const [name, tensor] of weightsOf(want)) {
    const found = weightsOf(got).get(name);
    if (found === undefined) throw new Error(`no ${name}`);
    assertClose(numbers(found), numbers(tensor), { rtol: 1e-12, atol: 1e-14, note: name });
  }
}

test('evaluation: top-1, top-5 and loss are means over the images that were read', async () => {
  await withBoth(async ({ all, good }) => {
    for (const statistics of ['running', 'batch'] as const) {
      const [got, want] = await Promise.all([
        core().evaluate(network(), all, { batch: 4, statistics }, null, null),
        core().evaluate(network(), good, { batch: 3, statistics }, null, null),
      ]);
      expect([got.images, got.skipped, want.images, want.skipped]).toEqual([6, 6, 6, 0]);
      expect([got.top1, got.top5]).toEqual([want.top1, want.top5]);
      assertClose([got.loss], [want.loss], { rtol: 1e-12, atol: 0 });
      expect(got.loader?.firstSkipped).toBe('2.jpg cannot be decoded: it is neither a JPEG nor a PNG');
    }
  });
});

const train = (net: NetworkHandle, data: DatasetHandle, options: TrainOptions) =>
  core().train(net, data, options, null, null);

test('training: gradients, losses and running statistics are of the images that were read', async () => {
  await withBoth(async ({ all, good }) => {
    const [one, other] = [network(), network()];
    const more = { momentum: 0.9, weightDecay: 0.01, labelSmoothing: 0.1 };
    for (let epoch = 0; epoch < 2; epoch += 1) {
      const got = await train(one, all, training(4, rates(3, 0.1), more));
      const want = await train(other, good, training(3, rates(2, 0.1), more));
      expect([got.images, got.skipped, got.top1]).toEqual([6, 6, want.top1]);
      assertClose([got.loss], [want.loss], { rtol: 1e-12, atol: 0 });
    }
    expectEqualWeights(one, other);
  });
});

test('training in pieces: a piece counts as many images as were read', async () => {
  await withBoth(
    async ({ all, good }) => {
      const [one, other] = [network(PLAIN), network(PLAIN)];
      await train(one, all, training(4, rates(3, 0.1), { microBatch: 2 }));
      await train(other, good, training(3, rates(2, 0.1)));
      expectEqualWeights(one, other);
    },
    'ggbg bbbb bbgg'.replaceAll(' ', ''),
  );
  // The last minibatch of the other has two images.
});

test('a paused epoch goes on with the images that it has read', async () => {
  await withBoth(async ({ all, good }) => {
    const [one, other] = [network(), network()];
    const pause = core().createPause();
    core().pause(pause, 'checkpoint');
    const begun = await train(one, all, { ...training(4, rates(3, 0.1)), pause });
    expect([begun.paused, begun.next]).toEqual(['checkpoint', 1]);
    const got = await train(one, all, { ...training(4, rates(3, 0.1)), start: 1, state: begun.state });
    const want = await train(other, good, training(3, rates(2, 0.1)));
    expect([got.images, got.skipped, got.top1]).toEqual([6, 6, want.top1]);
    assertClose([got.loss], [want.loss], { rtol: 1e-12, atol: 0 });
    expectEqualWeights(one, other);
  });
});

test('batch norm’s statistics estimated anew are means over the minibatches that had images', async () => {
  await withBoth(async ({ all, good }) => {
    const [one, other] = [network(), network()];
    const options = { shuffle: false, flip: false, crop: 0, seed: 1, syncBatchNorm: false };
    await core().recalibrate(one, all, { ...options, batch: 4 }, null, null);
    await core().recalibrate(other, good, { ...options, batch: 3 }, null, null);
    expectEqualWeights(one, other);
  });
});

test.each(['exact', 'rayleigh'] as const)('%s indices are over the images that were read', async (method) => {
  await withBoth(async ({ all, good }) => {
    const options = indexing(GRAPH, method, { epochs: method === 'exact' ? 1 : 3 });
    const got = await core().indices(network(), all, { ...options, batch: 4 }, null, null);
    const want = await core().indices(network(), good, { ...options, batch: 3 }, null, null);
    const valuesOf = ({ chains }: typeof got) =>
      chains.flatMap(({ indices, residuals }) => [...indices, ...residuals]);
    assertClose(valuesOf(got), valuesOf(want), { rtol: 1e-9, atol: 1e-13 });
    for (const { directions } of [got, want]) directions.dispose();
  });
});

test('a pass of which no image can be read fails, with the first reason', async () => {
  await withBoth(async ({ all }) => {
    const says =
      /^E_DATA: none of the 4 images could be read, the first of them: 0\.jpg .*neither a JPEG nor a PNG/;
    const options = { shuffle: false, flip: false, crop: 0, seed: 1, syncBatchNorm: false, batch: 3 };
    expect(await failureOf(core().evaluate(network(), all, { batch: 3 }, null, null))).toMatch(says);
    expect(await failureOf(train(network(), all, training(3, rates(2, 0.1))))).toMatch(says);
    expect(await failureOf(core().recalibrate(network(), all, options, null, null))).toMatch(says);
    for (const method of ['exact', 'rayleigh'] as const)
      expect(
        await failureOf(core().indices(network(), all, indexing(GRAPH, method, { batch: 3 }), null, null)),
      ).toMatch(says);
  }, 'bbbb');
});

test('the message of an image that cannot be read says how to go on', async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'bad.jpg'), 'no picture');
    const data = imagesOf(sourceOf(folder, ['bad.jpg']), { classes: CLASSES });
    const pass = { batch: 1, shuffle: false, flip: false, seed: 1, steps: null };
    expect(await failureOf(imageCore().sweepImages(data, pass, null, null))).toMatch(
      /^E_DATA: bad\.jpg cannot be decoded: .*`splitgrow data index` .*data\.skipUnreadable \(eval: --skip-unreadable\)$/,
    );
  });
});
