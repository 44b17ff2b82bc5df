import { packData, verifyData } from '../api/data-pack.js';
import { SplitgrowError } from '../errors.js';
import { bytes, integer } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { problemRows, ROOT } from './data-index.js';
import { required, text, toggle, integer as whole, withDefault } from './flags.js';
import { FOLDER_FLAGS } from './shared-flags.js';
import { facts } from './table.js';

export const DATA_PACK = defineCommand({
  name: 'data pack',
  summary: 'packs a folder of images into one store, smaller and quicker to read',
  arguments: { root: ROOT },
  flags: {
    out: required(text('STORE', 'file to write')),
    shortSide: whole('N', 'brings larger images to this shorter side, in pixels (default 256)', { min: 1 }),
    asIs: toggle("keeps every file's bytes"),
    quality: withDefault(whole('Q', 'quality of JPEGs that are encoded anew', { min: 1, max: 100 }), 90),
    ...FOLDER_FLAGS,
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
