// A run on image files: paused between minibatches to the same bits, ended by a file that becomes unreadable, gone on with once it is mended.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { splitgrow, start } from '../cli/command-line.js';
import { GOLDEN } from '../native/golden.js';
import { temporaryFolder } from './tiny.js';

const PICTURES = ['rgb.jpg', 'odd.jpg', 'colours.png', 'progressive.jpg', 'sharp.jpg', 'places-200x150.png'];
const COPIES = 5;

/** Two classes of some pictures, and an experiment of eight short epochs on random crops of them. */
function prepared(): { readonly file: string; readonly root: string } {
  const folder = temporaryFolder();
  const root = join(folder, 'images');
  for (const part of ['train', 'val'])
    for (const [at, name] of ['a', 'b'].entries()) {
      mkdirSync(join(root, part, name), { recursive: true });
      const chosen = PICTURES.filter((_, i) => i % 2 === at);
      for (let copy = 0; copy < (part === 'train' ? COPIES : 1); copy += 1)
        for (const picture of chosen)
          copyFileSync(join(GOLDEN, 'images', picture), join(root, part, name, `${copy}-${picture}`));
    }
  const file = join(folder, 'experiment.json');
  const experiment = {
    name: 'images',
    network: { preset: 'mobilenet_cifar10', blocks: 2, width: 4, activation: 'silu' },
    data: { name: 'image-folder', root, resolution: 16, workers: 2 },
    fit: { epochs: 8, batch: 4, schedule: { kind: 'cosine' } },
    stop: { stages: 0 },
    threads: 1,
    seed: 3,
  };
  writeFileSync(file, JSON.stringify(experiment));
  return { file, root };
}

test('an unreadable image ends the run with its name; mended, the run goes on to the bits of one without it', async () => {
  const { file, root } = prepared();
  const [whole, broken] = [join(root, '..', 'whole'), join(root, '..', 'broken')];
  const words = (output: string): string[] => [
    ...['grow', file, '--set', `output=${output}`, '--set', 'checkpoint.minutes=0.0005'],
  ];
  const plain = await splitgrow([...words(whole), '--set', 'checkpoint.minutes=0']);
  expect(plain.code, plain.stderr).toBe(0);

  const victim = join(root, 'train', 'b', '2-progressive.jpg');
  const bytes = readFileSync(victim);
  const { child, ended } = start(words(broken));
  let text = '';
  child.stderr?.on('data', (piece: string) => {
    text += piece;
    if (text.includes('epoch 2 of')) writeFileSync(victim, Buffer.alloc(bytes.length, 'x'));
  });
  const failed = await ended;
  expect([1, 2], failed.stderr).toContain(failed.code);
  expect(failed.stderr).toMatch(/splitgrow: E_(DATA|IMAGES|FILE): .*2-progressive\.jpg/);
  expect((await readdir(broken)).some((name) => name.startsWith('checkpoint-0-'))).toBe(true);
  writeFileSync(victim, bytes);
  const rest = await splitgrow(words(broken));
  expect(rest.code, rest.stderr).toBe(0);
  expect(rest.stderr).toMatch(/continues after epoch \d+ of stage 0/);
  const weightsIn = (output: string) => readFile(join(output, 'stage-0', 'weights.safetensors'));
  expect((await weightsIn(broken)).equals(await weightsIn(whole))).toBe(true);
});
