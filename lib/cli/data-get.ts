// splitgrow data get and data list: fetches datasets, and says where they are.
import { getData } from '../data/get/get.js';
import type { ListedData } from '../data/get/list.js';
import { listData } from '../data/get/list.js';
import { SOURCES } from '../data/get/sources.js';
import type { DataProgress } from '../data/get/work.js';
import { bytes, clock } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { choice, required, text } from './flags.js';
import type { Meter } from './progress.js';
import { type Column, facts, table } from './table.js';

const NAMES = SOURCES.map(({ name }) => name);
/** The rate is that of the bytes since about so long ago. */
const RATE_MS = 5_000;

interface Mark {
  readonly at: number;
  readonly done: number;
}

/** Shows progress on a meter, downloads with rate and time left. */
export function showData(meter: Meter, now: () => number = Date.now): (progress: DataProgress) => void {
  let file = '';
  let marks: Mark[] = [];
  return ({ phase, message, done, total }) => {
    if (total === 0) {
      meter.note(message);
      return;
    }
    const amount = `${message}  ${bytes(done)} of ${bytes(total)}`;
    if (phase === 'unpack') {
      meter.show(done / total, `unpacking ${amount}`);
      return;
    }
    const at = now();
    const last = marks.at(-1);
    // Less than before: the file is another one, or began anew.
    if (message !== file || (last !== undefined && done < last.done)) marks = [];
    file = message;
    marks.push({ at, done });
    while (marks.length > 2 && at - (marks[1]?.at ?? at) >= RATE_MS) marks.shift();
    const [first] = marks;
    const rate =
      first !== undefined && at > first.at ? (done - first.done) / ((at - first.at) / 1000) : Number.NaN;
    const pace = rate > 0 ? `  ${bytes(Math.round(rate))}/s  ${clock((total - done) / rate)} left` : '';
    meter.show(done / total, `downloading ${amount}${pace}`);
  };
}

/** What an experiment says to use it. */
function usage(name: string, root: string | undefined): string {
  const fields = {
    name,
    ...(root === undefined ? {} : { root }),
    // Without it, and without a root, the images that ship with splitgrow are used.
    ...(name === 'fashion-mnist' && root === undefined ? { whole: true } : {}),
  };
  return `"data": ${JSON.stringify(fields)}`;
}

export const DATA_GET = defineCommand({
  name: 'data get',
  summary: 'fetches a dataset: downloads its official files, checks them, unpacks them',
  arguments: { name: required(choice(NAMES, 'the dataset')) },
  flags: {
    root: text('DIR', 'folder to put it in (default: where an experiment without data.root looks)'),
    mirror: text(
      'URL',
      'folder of a server that has the official files (default: SPLITGROW_DATA_MIRROR, or the official servers)',
    ),
  },
  examples: [
    ['splitgrow data get cifar10', 'about 170 MB; again after a break: it goes on where it was'],
    ['splitgrow data get fashion-mnist --root data/fashion', 'into a folder of your choice'],
    ['splitgrow data get cifar100 --mirror https://mirror.example/datasets', 'from another server'],
  ],
  run: async ({ name, root, mirror }, { control, meter }) => {
    const document = await getData(
      { name, root, mirror },
      { signal: control.signal, onProgress: showData(meter) },
    );
    const isThere = document.files.every(({ status }) => status === 'there');
    return {
      document,
      text: (style) =>
        [
          table(
            [
              { title: 'file', cell: ({ file }) => file },
              { title: 'size', cell: (row) => bytes(row.bytes), isNumber: true },
              { title: 'status', cell: ({ status }) => status },
            ],
            document.files,
            style,
          ),
          facts(
            [
              [
                'state',
                isThere ? 'there already, checksums right; nothing done' : 'just fetched, checksums right',
              ],
              ['found in', document.directory],
              ['use it', usage(name, root)],
            ],
            style,
          ),
        ].join('\n\n'),
    };
  },
});

const LISTED: readonly Column<ListedData>[] = [
  { title: 'dataset', cell: ({ name }) => name },
  {
    title: 'state',
    cell: ({ state }) => state,
    paint: (style, { state }) => (state === 'whole' ? style.good : style.accent),
  },
  {
    title: 'files',
    cell: ({ files }) => `${files.filter(({ state }) => state === 'there').length} of ${files.length}`,
    isNumber: true,
  },
  { title: 'looked in', cell: ({ looked }) => looked.join(', ') },
  { title: 'to fetch', cell: ({ remedy }) => remedy ?? '' },
];

export const DATA_LIST = defineCommand({
  name: 'data list',
  summary: 'the datasets there are, where they are looked for, and what is there',
  flags: {},
  examples: [['splitgrow data list', `sizes only; data get compares checksums`]],
  run: async () => {
    const document = await listData();
    return { document, text: (style) => table(LISTED, document.datasets, style) };
  },
});
