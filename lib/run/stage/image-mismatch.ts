// What to do where a network cannot take the images of a dataset: the order of axes that was found, or the sizes to choose.
import type { Dataset } from '../../data/dataset.js';
import { guessedHint, layoutHint } from '../../data/layouts.js';
import { countOf, isInMemory, shapeOf } from '../../data/part.js';
import type { Graph } from '../../graph/ir.js';

/** How many zeros to add below and to the right for images of this size. */
function padded([, height, width]: readonly number[], side: number): string {
  return `numpy.pad(train_images, ((0, 0), (0, 0), (0, ${side - (height ?? 0)}), (0, ${side - (width ?? 0)})))`;
}

/** The advice for images in memory, whose size is fixed. */
function remedyInMemory(shape: readonly [number, number, number], count: number, graph: Graph): string {
  const wanted = graph.input.shape;
  const all = [count, ...shape];
  const layout = layoutHint('train_images', all, wanted) ?? guessedHint('train_images', all);
  if (layout !== null) return `${layout}; test_images likewise`;
  const [channels, height, width] = shape;
  if (channels !== wanted[0])
    return `give a network of ${channels} channels (of a preset: network.channels ${channels}), or images of ${wanted[0]}`;
  if (height !== width) {
    const side = Math.max(height, width, wanted[1]);
    return `presets take square images: make them square, in NumPy: ${padded(shape, side)}, test_images likewise, or give a network.graph whose input.shape is [${shape.join(', ')}]`;
  }
  if (wanted[1] !== wanted[2])
    return `save the images as [N, ${wanted.join(', ')}], or give a network of [${shape.join(', ')}]`;
  return `give a network of that resolution (of a preset: network.resolution ${height}), or evaluate by \`splitgrow eval --resize\``;
}

/** The advice for image files, which can be cropped to any square. */
function remedyOfFiles(shape: readonly [number, number, number], { input }: Graph): string {
  const [channels, height, width] = input.shape;
  if (height !== width)
    return `image files become squares: for a network of ${height} x ${width} put the images into a safetensors file (data.file)`;
  if (height !== shape[1]) return `set data.resolution to ${height}, or give a network of that resolution`;
  return `image files have ${shape[0]} channels: give a network of as many instead of ${channels}`;
}

/** The end of a message about images that the network cannot take. */
export function misfitRemedy({ train }: Dataset, graph: Graph): string {
  return isInMemory(train)
    ? remedyInMemory(shapeOf(train), countOf(train), graph)
    : remedyOfFiles(shapeOf(train), graph);
}
