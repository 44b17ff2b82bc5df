// Which part of a picture is taken: crops at random against torchvision's statistics, windows against whole pictures.
import { expect, test } from 'vitest';
import type { DatasetHandle, ImageAugment } from '../../../lib/native/face.js';
import { golden, numbers, numbersOf, tensorOf } from '../golden.js';
import { imageCore, imagesOf, PICTURES, sourceOf } from './files.js';

const CROP = { leastArea: 0.08, leastRatio: 3 / 4, mostRatio: 4 / 3 };

/** Images of one pass as levels, float64 [n * 3 * R * R], channel after channel. */
async function levelsOf(data: DatasetHandle, augment: ImageAugment & { readonly flip: boolean }, seed = 1) {
  const { kept } = await imageCore().sweepImages(
    data,
    { batch: 64, shuffle: false, seed, steps: null, keep: true, ...augment },
    null,
    null,
  );
  if (kept === undefined) throw new Error('nothing was kept');
  return numbers(kept.images).map((value) => value * 255);
}

/** Start and length along an axis of each image of 8 x 8, from where the picture of `side` pixels says its pixels are. */
function spans(levels: Float64Array, channel: number, side: number): { start: number; length: number }[] {
  const step = channel === 0 ? 1 : 8;
  const levelsApart = Math.floor(255 / (side - 1));
  return Array.from({ length: levels.length / 192 }, (_, image) => {
    const at = (i: number) =>
      (levels[image * 192 + channel * 64 + i * step + (step === 1 ? 32 : 4)] ?? 0) / levelsApart;
    const slope = (at(6) - at(1)) / 5;
    return { start: at(1) + 0.5 - 1.5 * slope, length: 8 * slope };
  });
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

test.each([
  [200, 150, 'of an area and a ratio'],
  [240, 20, 'of the middle, where none fits'],
])('%i x %i: random resized crops %s are distributed as torchvision has them', async (width, height) => {
  const size = `${width}x${height}`;
  const count = 2000;
  const source = sourceOf(PICTURES, Array(count).fill(`places-${size}.png`), Array(count).fill(0));
  const levels = await levelsOf(imagesOf(source, { resolution: 8 }), { flip: false, resizedCrop: CROP });
  const across = spans(levels, 0, width);
  const down = spans(levels, 1, height);
  const found = [
    across.map((s) => s.start),
    down.map((s) => s.start),
    across.map((s) => s.length),
    down.map((s) => s.length),
  ];
  const want = numbersOf(await golden('images', 'crops'), size);
  found.forEach((values, i) => {
    const [average = 0, deviation = 0] = [want[i], want[i + 4]];
    // Five standard errors of the mean, and what reading eight steps off two rounded levels, five apart, may be wrong by.
    expect(Math.abs(mean(values) - average)).toBeLessThan((5 * deviation) / Math.sqrt(count) + 1.6);
    const spread = Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
    expect(Math.abs(spread - deviation)).toBeLessThan(0.08 * deviation + 0.5);
  });
});

test('half of the pictures are mirrored, each as a whole', async () => {
  const count = 400;
  const source = sourceOf(PICTURES, Array(count).fill('places-200x150.png'), Array(count).fill(0));
  const levels = await levelsOf(imagesOf(source, { resolution: 8 }), { flip: true });
  const mirrored = spans(levels, 0, 200).filter((s) => s.length < 0).length;
  // Binomial: four standard deviations are 40.
  expect(Math.abs(mirrored - count / 2)).toBeLessThan(40);
  const lengths = new Set(spans(levels, 0, 200).map((s) => Math.round(Math.abs(s.length))));
  expect(lengths.size).toBe(1);
});

test.each(['square.jpg'])('%s: windows decoded alone are windows of the picture decoded whole', async () => {
  const file = 'square.jpg';
  const side = 96;
  const size = 20;
  const whole = tensorOf(await golden('images', 'expected'), `${file}/same/${side}`).data;
  const source = sourceOf(PICTURES, Array(60).fill(file), Array(60).fill(0));
  const data = imagesOf(source, { resolution: size, shortSide: side });
  const levels = (await levelsOf(data, { flip: false, shift: true })).map(Math.round);
  const places = new Set<number>();
  const area = size * size;
  for (let image = 0; image < 60; image++) {
    const pixel = (c: number, y: number, x: number) => levels[(image * 3 + c) * area + y * size + x];
    const isAt = (top: number, left: number): boolean => {
      for (let c = 0; c < 3; c++)
        for (let y = 0; y < size; y++)
          for (let x = 0; x < size; x++)
            if (pixel(c, y, x) !== whole[(c * side + top + y) * side + left + x]) return false;
      return true;
    };
    let place = -1;
    for (let top = 0; top <= side - size && place < 0; top++)
      for (let left = 0; left <= side - size && place < 0; left++)
        if (isAt(top, left)) place = top * side + left;
    expect(place, `image ${image}`).toBeGreaterThanOrEqual(0);
    places.add(place);
  }
  expect(places.size).toBeGreaterThan(50);
});

test('scaled decoding stays close to decoding whole and resizing', async () => {
  const source = sourceOf(PICTURES, ['square.jpg', 'rgb.jpg', 'turned-6.jpg', 'progressive.jpg']);
  const options = { resolution: 20, shortSide: 20 };
  for (let i = 0; i < 4; i++) {
    const [exact, scaled] = await Promise.all(
      [false, true].map((scaledDecoding) =>
        imageCore().imageAt(imagesOf(source, { ...options, scaledDecoding }), i),
      ),
    );
    const gaps = Array.from(exact?.data ?? [], (level, k) => Math.abs(level - (scaled?.data[k] ?? 0)));
    // Noise of 6 levels is averaged over other pixels: as large as the noise that is left of it.
    expect(mean(gaps)).toBeLessThan(6);
    if (i === 0) expect(Math.max(...gaps)).toBeGreaterThan(0);
  }
});
