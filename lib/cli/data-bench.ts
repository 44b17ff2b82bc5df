// splitgrow data bench: how fast images come from a folder or a packed store.
import { benchData, type LoaderTiming } from '../api/data-bench.js';
import { decimal, integer } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { required, text, toggle, integer as whole } from './flags.js';
import { WORKERS_FLAG } from './shared-flags.js';
import { facts, table } from './table.js';

export const DATA_BENCH = defineCommand({
  name: 'data bench',
  summary: 'images a second of the loader alone, from a folder or a packed store',
  arguments: { path: required(text('ROOT|STORE', 'folder of images or packed store')) },
  flags: {
    resolution: whole('R', 'height and width of the crops (default 224)', { min: 1, max: 4096 }),
    workers: WORKERS_FLAG,
    images: whole('N', 'most images of a pass (default 2000)', { min: 1 }),
    batchSize: whole('N', 'images a minibatch (default 64)', { min: 1 }),
    wholeDecoding: toggle('always decodes at full size, as data.scaledDecoding false does'),
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
