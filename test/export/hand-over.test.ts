// The Python of docs/own-network.md, word for word, gives an exported model's classes the probabilities that predict gives.
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportNetwork } from '../../lib/api/export.js';
import { predict } from '../../lib/api/predict.js';
import { withClasses } from '../../lib/graph/classes.js';
import type { GraphInput } from '../../lib/graph/ir.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { createNetwork, saveNetwork } from '../../lib/train/network.js';
import { blocks } from '../docs/pages.js';
import { PICTURES } from '../native/images/files.js';
import { temporaryFolder } from '../run/tiny.js';
import { narrow } from './cases.js';
import { onnxPython } from './python.js';

const python = onnxPython();

/** Pixels of both are whole numbers that may differ by one where a picture is resized. */
const CLOSE = 0.005;

function script(): string {
  const [first] = blocks('python').filter(({ page }) => page === 'docs/own-network.md');
  return first?.code ?? '';
}

interface Shown {
  readonly channels: number;
  readonly input: Partial<GraphInput>;
  readonly classes?: readonly string[];
  readonly files: readonly string[];
}

const NETWORKS: Readonly<Record<string, Shown>> = {
  // Files a little larger than the crop, as for ImageNet.
  'a cropping network with names': {
    channels: 3,
    input: { mean: [0.49, 0.45, 0.41], std: [0.23, 0.22, 0.21], shortSide: 37 },
    classes: ['ash', 'birch', 'cedar', 'Douglas fir', 'elm'],
    files: ['places-200x150.png', 'turned-6.jpg'],
  },
  // Pixels / 255, the crop is all of the shorter side, classes have numbers.
  'a bare network': { channels: 3, input: {}, files: ['odd.jpg', 'grey-8.png'] },
  'a grey network': { channels: 1, input: { mean: [0.4], std: [0.3] }, files: ['rgb.jpg', 'grey-8.png'] },
};

/** Probabilities that the page's Python prints, by class. */
function printed(folder: string): ReadonlyMap<string, number> {
  const told = execFileSync(python.command, ['run.py'], {
    ...{ cwd: folder, env: python.env, encoding: 'utf8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const rows = told.trim().split('\n');
  return new Map(rows.map((row) => [row.split('\t')[0] ?? '', Number(row.split('\t')[1])]));
}

test.skipIf(python.reason !== '').each(Object.entries(NETWORKS))(
  `the page's Python gives %s what predict gives${python.reason}`,
  async (_name, { channels, input, classes, files }) => {
    const folder = temporaryFolder();
    const preset = buildPreset('mobilenet_cifar10', { classes: 5, width: 6, channels });
    const graph = withClasses({ ...preset, input: { ...preset.input, ...input } }, classes);
    const directory = join(folder, 'network');
    using network = createNetwork(graph, { seed: 0, device: 'cpu', weights: narrow(graph, 3) });
    await saveNetwork(network, directory);
    await exportNetwork({ network: directory, onnx: join(folder, 'demo.onnx') });
    for (const file of files) {
      const path = join(PICTURES, file);
      await writeFile(join(folder, 'run.py'), script().replace('shoe.png', path));
      const found = printed(folder);
      const { images } = await predict({
        ...{ network: directory, images: [path], threads: 1, exactDecode: true },
      });
      expect(found.size).toBe(5);
      for (const { class: name, index, probability } of images[0]?.top ?? []) {
        const gap = Math.abs((found.get(name ?? String(index)) ?? Number.NaN) - probability);
        expect(gap, `${file}, ${name ?? index}`).toBeLessThan(CLOSE);
      }
    }
  },
);
