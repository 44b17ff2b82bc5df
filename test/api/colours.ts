// A network whose answers are known by hand: it names the colour of a picture. And pictures of one colour, in folders.
import { join } from 'node:path';
import { parseGraph } from '../../lib/graph/check.js';
import type { TensorData } from '../../lib/native/face.js';
import { createNetwork, saveNetwork } from '../../lib/train/network.js';
import { pngOf } from '../data/images/pictures.js';
import { writePictures } from '../data/images/written.js';
import { temporaryFolder } from '../run/tiny.js';

export const SIDE = 8;
/** Colours by letter; in none of them two channels are alike bright. */
const RGB: Readonly<Record<string, readonly number[]>> = {
  r: [200, 20, 10],
  g: [10, 200, 20],
  b: [20, 10, 200],
};

const float32 = (shape: readonly number[], values: readonly number[]): TensorData => ({
  dtype: 'float32',
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});

/**
 * A network directory that gives class k of the list the mean of channel "rgb"[k] as its logit: its first three classes are
 * red, green and blue, whatever they are called. More classes never win.
 */
export async function colourNetwork(
  classes: readonly string[] | undefined,
  outputs = classes?.length ?? 3,
): Promise<string> {
  const graph = parseGraph({
    ...{ format: 'splitgrow-network/1', name: 'colours', input: { shape: [3, SIDE, SIDE], shortSide: SIDE } },
    ...(classes && { classes }),
    nodes: [
      { id: 'pool', op: 'global_avg_pool', inputs: ['input'] },
      { id: 'classifier', op: 'linear', inputs: ['pool'], out: outputs, bias: true },
    ],
    output: 'classifier',
  });
  const weight = Array.from({ length: outputs * 3 }, (_, at) => (Math.floor(at / 3) === at % 3 ? 50 : 0));
  const bias = Array.from({ length: outputs }, (_, at) => (at < 3 ? 0 : -100));
  const weights = new Map([
    ['classifier.weight', float32([outputs, 3], weight)],
    ['classifier.bias', float32([outputs], bias)],
  ]);
  const directory = join(temporaryFolder(), 'net');
  using network = createNetwork(graph, { seed: 0, device: 'cpu', weights });
  await saveNetwork(network, directory);
  return directory;
}

/** A folder of pictures: by class folder a letter a picture, "rrg" being two red ones and a green one. */
export function colourFolder(folders: Readonly<Record<string, string>>): string {
  const files = Object.entries(folders).flatMap(([folder, colours]) =>
    [...colours].map(
      (colour, at) => [`${folder}/${at}.png`, pngOf(SIDE, SIDE, () => RGB[colour] ?? [0, 0, 0])] as const,
    ),
  );
  return writePictures(Object.fromEntries(files));
}
