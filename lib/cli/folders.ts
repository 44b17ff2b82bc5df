// splitgrow data index, data pack, data verify and data bench: folders of images and packed stores.
import { benchData, type LoaderTiming } from '../api/data-bench.js';
import { indexData } from '../api/data-index.js';
import { packData, verifyData } from '../api/data-pack.js';
import { some } from '../data/images/part-folders.js';
import type { FileProblem } from '../data/images/walk.js';
import { SplitgrowError } from '../errors.js';
import { bytes, decimal, integer, oneLine } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { number, required, text, toggle, integer as whole, withDefault } from './flags.js';
import { facts, type Style, table } from './table.js';

const ROOT = required(text('ROOT', 'folder of images, in a layout that docs/recipes.md describes'));
const LIMITS = {
  testShare: number('S', 'share kept for testing where there is no test part (default 0.1)', {
    min: 0,
    max: 1,
    isOpen: true,
  }),
  followLinks: toggle('follows links that lead out of the folder (default: they are passed over)'),
  maxPixels: whole('N', 'images of more pixels are left out (default 100000000)', { min: 1 }),
  maxScans: whole('N', 'progressive JPEGs of more scans are left out (default 100)', { min: 1 }),
};
/** Bad files named in the text; --json and the list beside the index have all. */
const MOST_SHOWN = 10;

function problemRows(problems: readonly FileProblem[], style: Style, title = 'left out'): readonly string[] {
  if (problems.length === 0) return [];
  const shown = problems.slice(0, MOST_SHOWN);
  const more = problems.length - shown.length;
  return [
    table(
      [
        { title, cell: ({ path }) => oneLine(path) },
        { title: 'why', cell: ({ reason }) => oneLine(reason) },
      ],
      shown,
      style,
    ),
    ...(more > 0 ? [`and ${integer(more)} more`] : []),
  ];
}

export const DATA_INDEX = defineCommand({
  name: 'data index',
  summary: 'decodes every image of a folder once, and lists the bad ones',
  arguments: { root: ROOT },
  flags: {
    quick: toggle('reads headers alone: truncated and damaged images may be missed'),
    decode: toggle('decodes every image: what is done without --quick'),
    ...LIMITS,
  },
  examples: [
    ['splitgrow data index data/imagenet', 'later runs look only at what changed; stopped, it goes on'],
    ['splitgrow data index data/imagenet --quick', 'sizes and file formats, in a small part of the time'],
  ],
  run: async ({ quick, decode, ...options }, { control }) => {
    if (quick && decode)
      throw new SplitgrowError('E_USAGE', '--quick, --decode: expected one of them, got both');
    const document = await indexData({ ...options, decode: !quick }, control);
    const { images, kinds } = document;
    return {
      document,
      text: (style) =>
        [
          facts(
            [
              ['layout', document.layout],
              ['classes', `${integer(document.classes)}: ${some(document.classNames.map(oneLine))}`],
              ['images', `${integer(images.train)} for training, ${integer(images.test)} for testing`],
              [
                'of them',
                `${integer(kinds.jpeg)} JPEG, ${integer(kinds.png)} PNG; ${integer(document.grey)} grey, ${integer(document.fourChannels)} of four channels, ${integer(document.turned)} turned`,
              ],
              [
                'size',
                `${bytes(document.bytes)}, median shorter side ${integer(document.medianShortSide)} pixels`,
              ],
              ['looked at now', `${integer(document.scanned)} files`],
              ['index', document.index],
              ...(document.problemsFile === null ? [] : [['bad files', document.problemsFile] as const]),
              ...document.notes.map((note) => ['note', oneLine(note)] as const),
            ],
            style,
          ),
          ...problemRows(document.leftOut, style),
          ...problemRows(document.warnings, style, 'read in spite of'),
        ].join('\n\n'),
    };
  },
});

export const DATA_PACK = defineCommand({
  name: 'data pack',
  summary: 'packs a folder of images into one store, smaller and quicker to read',
  arguments: { root: ROOT },
  flags: {
    out: required(text('STORE', 'file to write')),
    shortSide: whole('N', 'brings larger images to this shorter side, in pixels (default 256)', { min: 1 }),
    asIs: toggle("keeps every file's bytes"),
    quality: withDefault(whole('Q', 'of JPEGs that are encoded anew', { min: 1, max: 100 }), 90),
    ...LIMITS,
  },
  examples: [
    [
      'splitgrow data pack data/imagenet --out imagenet-256.store',
      'about 20 kB an image; stopped, it goes on',
    ],
    ['splitgrow data pack data/imagenet --out imagenet.store --as-is', 'the same pixels as the folder'],
  ],
  run: async ({ asIs, shortSide, ...options }, { control }) => {
    if (asIs && shortSide !== undefined)
      throw new SplitgrowError('E_USAGE', '--as-is, --short-side: expected one of them, got both');
    const document = await packData({ ...options, shortSide: asIs ? null : shortSide }, control);
    const sides = document.shortSide === null ? 'as they were' : `shorter side ${document.shortSide} at most`;
    return {
      document,
      text: (style) =>
        [
          facts(
            [
              ['store', document.store],
              ['layout', document.layout],
              ['images', `${integer(document.images)}, ${sides}; ${integer(document.classes)} classes`],
              ['size', bytes(document.bytes)],
              ...(document.resumed > 0 ? [['packed before', integer(document.resumed)] as const] : []),
              ['use it', `"data": ${JSON.stringify({ name: 'image-folder', store: document.store })}`],
            ],
            style,
          ),
          ...problemRows(document.leftOut, style),
        ].join('\n\n'),
    };
  },
});

export const DATA_VERIFY = defineCommand({
  name: 'data verify',
  summary: 'compares every image of a packed store with its checksum',
  arguments: { store: required(text('STORE', 'a store made by data pack')) },
  flags: {},
  examples: [['splitgrow data verify imagenet-256.store', 'after a copy to another machine']],
  run: async ({ store, threads }, { control }) => {
    const document = await verifyData({ store, threads }, control);
    const { problems } = document;
    const named = problems.map(({ index, reason }) => ({ path: `image ${index}`, reason }));
    return {
      document,
      exitCode: problems.length > 0 ? 1 : 0,
      text: (style) =>
        [
          facts(
            [
              ['store', store],
              ['images', `${integer(document.images)}, ${bytes(document.bytes)}`],
              [
                'state',
                problems.length === 0 ? 'every checksum is right' : `${integer(problems.length)} are wrong`,
              ],
            ],
            style,
          ),
          ...problemRows(named, style),
        ].join('\n\n'),
    };
  },
});

export const DATA_BENCH = defineCommand({
  name: 'data bench',
  summary: 'images a second of the loader alone, from a folder or a packed store',
  arguments: { path: required(text('ROOT|STORE', 'folder of images or packed store')) },
  flags: {
    resolution: whole('R', 'height and width of the crops (default 224)', { min: 1, max: 4096 }),
    workers: whole('N', 'threads that decode (default: as many as compute)', { min: 1, max: 1024 }),
    images: whole('N', 'images of a pass, at most (default 2000)', { min: 1 }),
    batchSize: whole('N', 'images a minibatch (default 64)', { min: 1 }),
    wholeDecoding: toggle('decodes at full size always, as data.scaledDecoding false'),
  },
  examples: [
    ['splitgrow data bench data/imagenet --workers 8', 'how many workers a GPU needs'],
    ['splitgrow data bench imagenet-256.store --workers 8', 'the same from a store'],
  ],
  run: async ({ path, resolution, workers, images, batchSize, wholeDecoding }, { control }) => {
    const document = await benchData(
      { path, resolution, workers, images, batch: batchSize, scaledDecoding: !wholeDecoding },
      control,
    );
    const rows: readonly (readonly [string, LoaderTiming])[] = [
      ['training: random resized crop, mirroring', document.train],
      ['evaluation: centre crop', document.evaluation],
    ];
    return {
      document,
      text: (style) =>
        [
          table(
            [
              { title: 'as in', cell: ([name]) => name },
              { title: 'images', cell: ([, { images: read }]) => integer(read), isNumber: true },
              { title: 'seconds', cell: ([, { seconds }]) => decimal(seconds, 2), isNumber: true },
              { title: 'images/s', cell: ([, row]) => integer(row.imagesPerSecond), isNumber: true },
              { title: 'a worker', cell: ([, row]) => integer(row.imagesPerWorkerSecond), isNumber: true },
              { title: 'a core', cell: ([, row]) => integer(row.imagesPerCoreSecond), isNumber: true },
            ],
            rows,
            style,
          ),
          facts(
            [
              ['workers', integer(document.workers)],
              ['resolution', integer(document.resolution)],
            ],
            style,
          ),
        ].join('\n\n'),
    };
  },
});
