// Other axis orders of image tensors. They are told from the sizes, with the line of code that makes [N, C, H, W] of them.

/** The axes by name, in their order, and the position of each of N, C, H, W among them. */
interface Layout {
  readonly name: string;
  readonly axes: readonly number[];
}

/** Orders of four axes. The first one that fits is taken. */
const LAYOUTS: readonly Layout[] = [
  { name: '[N, H, W, C]', axes: [0, 3, 1, 2] },
  { name: '[N, W, H, C]', axes: [0, 3, 2, 1] },
  { name: '[N, C, W, H]', axes: [0, 1, 3, 2] },
  { name: '[H, W, C, N]', axes: [3, 2, 0, 1] },
  { name: '[C, H, W, N]', axes: [3, 0, 1, 2] },
];
/** Channels of pictures: grey, grey and alpha, colours, colours and alpha. */
const CHANNELS: readonly number[] = [1, 2, 3, 4];

type Sizes = readonly number[];
/** Channels, height, width. */
type Image = readonly [number, number, number];

const equal = (a: Sizes, b: Sizes): boolean => a.length === b.length && a.every((size, i) => size === b[i]);

function permuted(name: string, { name: order, axes }: Layout): string {
  const places = axes.join(', ');
  return `its axes lie as ${order}; save them as [N, C, H, W], in NumPy: numpy.ascontiguousarray(${name}.transpose(${places})), in PyTorch: ${name}.permute(${places}).contiguous()`;
}

/** Images with a missing axis, or with all values in one row. */
function reshaped(name: string, shape: Sizes, [c, h, w]: Image): string | null {
  const take = (what: string, line: string): string =>
    `${what}; save them as [N, C, H, W], in NumPy and PyTorch: ${line}`;
  if (shape.length === 3 && c === 1 && equal(shape.slice(1), [h, w]))
    return take('it has no axis of channels', `${name}[:, None]`);
  if (equal(shape, [c, h, w])) return take('it is one image', `${name}[None]`);
  if (shape.length === 2 && shape[1] === c * h * w)
    return take('each image is one row', `${name}.reshape(-1, ${c}, ${h}, ${w})`);
  return null;
}

/**
 * What is to be done with a tensor of images whose shape is not [N, C, H, W] for `image`: the order found, and the line of NumPy
 * and PyTorch that mends it. `name` stands for the tensor in that line. Null where no known order fits.
 */
export function layoutHint(name: string, shape: Sizes, image: Image): string | null {
  if (shape.length === 4 && equal(shape.slice(1), image)) return null;
  const found = LAYOUTS.find(
    ({ axes }) =>
      shape.length === 4 &&
      equal(
        axes.slice(1).map((axis) => shape[axis] ?? 0),
        image,
      ),
  );
  return found === undefined ? reshaped(name, shape, image) : permuted(name, found);
}

/** The same for images of unknown size: there are few channels, and they come last. */
export function guessedHint(name: string, shape: Sizes): string | null {
  const [first = 0, second = 0, third = 0, last = 0] = shape;
  if (shape.length === 3) return reshaped(name, shape, [1, second, third]);
  const isLast =
    shape.length === 4 && CHANNELS.includes(last) && Math.min(second, third) > Math.max(...CHANNELS);
  return isLast && first > 0 ? layoutHint(name, shape, [last, second, third]) : null;
}
