// The `data` part of experiments on image files: defaults, refusals, and which fields decide a result.
import { expect, test } from 'vitest';
import { difference, obstacle } from '../../lib/run/spec/differences.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';

const BASE = { name: 'x', network: { preset: 'mobilenet_v1' } };
const parse = (data: Record<string, unknown>) =>
  parseExperiment({ ...BASE, data: { name: 'image-folder', ...data } }).data;

test('image files have the defaults of ImageNet training', () => {
  expect(parse({ root: 'DIR' })).toEqual({
    name: 'image-folder',
    root: 'DIR',
    whole: false,
    resolution: 224,
    augment: ['flip', 'resized-crop'],
    leastArea: 0.08,
    shortSide: null,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    testShare: 0.1,
    workers: null,
    prefetch: 3,
    maxPixels: 100_000_000,
    maxScans: 100,
    scaledDecoding: true,
    skipUnreadable: false,
    trainImages: null,
    testImages: null,
    validation: 0.1,
    shuffle: true,
  });
});

test.each([
  [{ augment: ['crop'] }, /data\.augment\.0: expected one of flip, resized-crop, shift, got "crop"/],
  [{ augment: ['resized-crop', 'shift'] }, /data\.augment: expected resized-crop or shift, not both/],
  [{ root: 'A', store: 'B' }, /data\.store: expected data\.root or data\.store, not both/],
  [{ shortSide: 100 }, /data\.shortSide: expected no less than data\.resolution/],
  [{ cropPadding: 4 }, /data\.cropPadding: unknown field/],
  [{ workrs: 4 }, /did you mean "workers"/],
  [{ std: [1, 1] }, /data\.std: expected three numbers, or one/],
  [{ std: [1, 1, 0] }, /data\.std\.2: expected number > 0/],
])('%j is refused', (data, message) => {
  expect(() => parse(data)).toThrow(
    expect.objectContaining({ code: 'E_EXPERIMENT', message: expect.stringMatching(message) }),
  );
});

test('an unknown dataset is told the names of all', () => {
  expect(() => parse({ name: 'image-foldr' })).toThrow(
    /imagenet, image-folder, got "image-foldr"; did you mean "image-folder"/,
  );
});

test('where the images lie and how many threads decode them decides nothing; what is decoded does', () => {
  const kept = { data: parse({ root: 'A' }) };
  expect(difference(kept, { data: parse({ root: 'B', workers: 7, prefetch: 9 }) })).toBeNull();
  expect(difference(kept, { data: parse({ root: 'A', resolution: 192 }) })?.field).toBe('data.resolution');
  expect(difference(kept, { data: parse({ root: 'A', scaledDecoding: false }) })?.field).toBe(
    'data.scaledDecoding',
  );
  expect(difference(kept, { data: parse({ store: 'S' }) })?.field).toBe('data.store');
  // A store that was moved: the run goes on, and tells so.
  expect(obstacle({ data: parse({ store: 'S' }) }, { data: parse({ store: 'T' }) })).toBeNull();
});
