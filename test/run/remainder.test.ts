// A remainder that batch norm cannot take: trained with a note, or refused before anything is written.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grow } from '../../lib/api/grow.js';
import { train } from '../../lib/api/train.js';
import { splitgrow } from '../cli/command-line.js';
import { graphOf } from '../native/golden.js';
import { asRead, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

/** Batch norm behind a pool: one value a channel and image. */
const GRAPH = graphOf(
  [1, 8, 8],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
    ['act', 'activation', 'conv', { kind: 'silu' }],
    ['pool', 'global_avg_pool', 'act'],
    ['norm', 'batch_norm', 'pool'],
    ['out', 'linear', 'norm', { out: 4 }],
  ],
);

/** An experiment over 33 images in minibatches of 16. */
async function prepared(fit: Record<string, unknown> = {}, splitting: Record<string, unknown> = {}) {
  const folder = temporaryFolder();
  await writeTinyData(folder, { train: 33, test: 8 });
  const { data: _data, ...experiment } = tinyExperiment(folder);
  return {
    folder,
    output: join(folder, 'run'),
    experiment: {
      ...experiment,
      network: { graph: GRAPH },
      data: { file: join(folder, 'data.safetensors') },
      fit: { epochs: 2, batch: 16, schedule: { kind: 'constant' }, ...fit },
      splitting: { method: 'exact', epsilon: 0.1, ...splitting },
      stop: { stages: 1 },
    },
  };
}

async function trained(fit: Record<string, unknown>) {
  const { experiment } = await prepared(fit);
  const notes: string[] = [];
  const { stages } = await train(
    { experiment: asRead(experiment) },
    { onEvent: (event) => event.type === 'note' && notes.push(event.text) },
  );
  return { loss: stages[0]?.loss, notes: notes.filter((text) => text.includes('joins the minibatch')) };
}

test('one image left over joins the minibatch before it, with a note; asked for, without one', async () => {
  const [left, asked, dropped] = [
    await trained({}),
    await trained({ remainder: 'join' }),
    await trained({ remainder: 'drop' }),
  ];
  expect(left.notes).toHaveLength(1);
  expect(left.notes[0]).toMatch(/^33 images in minibatches of 16 leave 1 image; batch norm "norm"/);
  expect([asked.notes, dropped.notes]).toEqual([[], []]);
  expect(asked.loss).toBe(left.loss);
  expect(dropped.loss).not.toBe(left.loss);
});

test('keep is refused before the output is made', async () => {
  const { experiment, output } = await prepared({ remainder: 'keep' });
  await expect(train({ experiment: asRead(experiment) })).rejects.toMatchObject({
    code: 'E_EXPERIMENT',
    message: expect.stringMatching(/last minibatch of 1 image \(33 images in minibatches of 16\)/),
  });
  expect(existsSync(output)).toBe(false);
});

test('a network that is only grown needs no minibatch of training', async () => {
  const { experiment } = await prepared({ epochs: 0, batch: 1 });
  expect((await grow({ experiment: asRead(experiment) })).stages).toHaveLength(2);
});

test('growth measured on minibatches of too few images is refused before the first stage', async () => {
  for (const [splitting, field] of [
    [{ recalibrateImages: 1 }, 'splitting.recalibrateImages'],
    [{ lineSearch: { statistics: 'batch', images: 1 } }, 'splitting.lineSearch.images'],
  ] as const) {
    const { experiment, output } = await prepared({}, splitting);
    await expect(grow({ experiment: asRead(experiment) })).rejects.toMatchObject({
      code: 'E_EXPERIMENT',
      message: expect.stringMatching(
        new RegExp(`^${field.replaceAll('.', '\\.')}: batch norm "norm" needs 2`),
      ),
    });
    expect(existsSync(output)).toBe(false);
  }
});

test('growth estimates statistics on 5 images, and measures on minibatches of 2', async () => {
  const { experiment } = await prepared(
    { batch: 2, remainder: 'drop' },
    { recalibrateImages: 5, lineSearch: { statistics: 'batch', images: 5 } },
  );
  expect((await grow({ experiment: asRead(experiment) })).stages).toHaveLength(2);
});

test('two ranks train where a part of a minibatch would be one image', async () => {
  const { experiment, folder } = await prepared({ batch: 15, epochs: 1 });
  const file = join(folder, 'e.json');
  await writeFile(file, JSON.stringify(experiment));
  // Minibatches of 15, 15 and 3 images: of the last, one rank would have one.
  const { code, stderr } = await splitgrow(['launch', '--processes', '2', '--', 'train', file, '--json']);
  expect(code, stderr).toBe(0);
});
