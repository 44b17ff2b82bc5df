// The Python of docs/hand-over.md, word for word, shows an exported model images as our evaluation does.
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportNetwork } from '../../lib/api.js';
import { openFiles } from '../../lib/data/images/part.js';
import { IMAGE_DEFAULTS } from '../../lib/data/images/settings.js';
import { withClasses } from '../../lib/graph/classes.js';
import { lower } from '../../lib/graph/lower.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { createNetwork, loadNetwork, saveNetwork } from '../../lib/network.js';
import { blocks } from '../docs/pages.js';
import { temporaryFolder } from '../experiment/tiny.js';
import { core, numbers } from '../native/golden.js';
import { PICTURES } from '../native/images/files.js';
import { narrow } from './cases.js';
import { onnxPython } from './python.js';

const python = onnxPython();

/** Pixels of both are whole numbers that may differ by one where a picture is resized, by some more where a JPEG is decoded smaller. */
const CLOSE = 0.005;

function script(): string {
  const [first] = blocks('python').filter(({ page }) => page === 'docs/hand-over.md');
  return first?.code ?? '';
}

const NETWORKS = {
  // Files a little larger than the crop, as for ImageNet.
  cropped: { mean: [0.49, 0.45, 0.41], std: [0.23, 0.22, 0.21], shortSide: 37 },
  // What the network of an old file says: pixels / 255, and the crop is all of the shorter side.
  bare: {},
} as const;
const FILES = ['places-200x150.png', 'odd.jpg', 'grey-8.png'];
const CLASSES = ['ash', 'birch', 'cedar', 'Douglas fir', 'elm'];

test.skipIf(python.reason !== '').each(Object.entries(NETWORKS))(
  `the page's Python gives %s the probabilities of our evaluation${python.reason}`,
  async (name, input) => {
    const folder = temporaryFolder();
    const preset = buildPreset('mobilenet_cifar10', { classes: CLASSES.length, width: 6 });
    const names = name === 'cropped' ? CLASSES : undefined;
    const graph = withClasses({ ...preset, input: { ...preset.input, ...input } }, names);
    const directory = join(folder, 'network');
    using made = createNetwork(graph, { seed: 0, device: 'cpu', weights: narrow(graph, 3) });
    await saveNetwork(made, directory);
    await exportNetwork({ network: directory, onnx: join(folder, 'demo.onnx') });
    using network = await loadNetwork(directory, { device: 'cpu' });
    for (const file of FILES) {
      await writeFile(join(folder, 'run.py'), script().replace('shoe.png', join(PICTURES, file)));
      const told = execFileSync(python.command, ['run.py'], {
        ...{ cwd: folder, env: python.env, encoding: 'utf8' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const rows = told
        .trim()
        .split('\n')
        .map((line) => line.split('\t'));
      const labels = Int32Array.of(0);
      const settings = { ...IMAGE_DEFAULTS, resolution: 32, shortSide: graph.input.shortSide ?? 32 };
      const source = { files: { root: PICTURES, paths: [file], labels } };
      const { mean = [0, 0, 0], std = [1, 1, 1] } = graph.input;
      const { classes } = lower(graph);
      using data = openFiles({ source, labels, settings }, { mean, std, classes, device: 'cpu' });
      const logits = numbers(await core().forward(network.handle, data, { mode: 'eval', batch: 1 }));
      const shares = logits.map(Math.exp);
      const sum = shares.reduce((total, share) => total + share, 0);
      expect(rows.map(([label]) => label).sort()).toEqual([...(names ?? shares.keys())].map(String).sort());
      for (const [label = '', probability] of rows) {
        const at = names === undefined ? Number(label) : names.indexOf(label);
        const gap = Math.abs(Number(probability) - (shares[at] ?? Number.NaN) / sum);
        expect(gap, `${file}, ${label}`).toBeLessThan(CLOSE);
      }
    }
  },
);
