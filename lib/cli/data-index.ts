import { indexData } from '../api/data-index.js';
import { some } from '../data/images/part-folders.js';
import type { FileProblem } from '../data/images/walk.js';
import { SplitgrowError } from '../errors.js';
import { bytes, integer, oneLine } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { required, text, toggle } from './flags.js';
import { FOLDER_FLAGS } from './shared-flags.js';
import { facts, type Style, table } from './table.js';

export const ROOT = required(text('ROOT', 'folder of images, in a layout that docs/recipes.md describes'));
/** Bad files named in the text; --json and the list beside the index have all. */
const MOST_SHOWN = 10;

/** A table of the files that were left out, and why. */
export function problemRows(
  problems: readonly FileProblem[],
  style: Style,
  title = 'left out',
): readonly string[] {
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
    decode: toggle('decodes every image, as is done without --quick'),
    ...FOLDER_FLAGS,
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
