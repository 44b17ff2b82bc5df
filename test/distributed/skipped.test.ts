// Files that cannot be read, on two and three ranks: the means of one process, also where a rank's part has no image at all.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inFolder } from '../data/places.js';
import { bytesOf } from '../native/images/files.js';
import { assertClose } from '../reference.js';
import { reportsOf } from './processes.js';

interface Report {
  readonly weights: readonly number[];
  readonly totals: readonly number[];
  readonly evaluation: readonly number[];
  readonly indices: { readonly exact: readonly number[]; readonly rayleigh: readonly number[] };
}

/** Minibatches of 6 files: the second has nothing for one of two ranks, the third nothing at all. */
const MARKS = 'gbgggg bbbggb bbbbbb gggbbg gg'.replaceAll(' ', '');
const GOOD = ['rgb.jpg', 'grey.jpg', 'alpha.png', 'turned-6.jpg', 'progressive.jpg', 'square.jpg'];

test('two and three ranks give what one process gives', async () => {
  await inFolder(async (folder) => {
    [...MARKS].forEach((mark, i) => {
      const name = join(folder, `${String(i).padStart(2, '0')}.jpg`);
      writeFileSync(name, mark === 'g' ? bytesOf(GOOD[i % GOOD.length] ?? '') : 'no picture');
    });
    const more = { SKIPPED_FOLDER: folder };
    const [alone] = (await reportsOf<Report>(1, 'skipped-rank.mjs', more)) as [Report];
    expect(alone.totals.slice(2)).toEqual([13, 13]);
    for (const world of [2, 3]) {
      const ranks = await reportsOf<Report>(world, 'skipped-rank.mjs', more);
      ranks.forEach((report, rank) => {
        const tolerance = {
          rtol: 1e-10,
          atol: 1e-12,
          note: `rank ${rank} of ${world}, float64 sums in another order`,
        };
        assertClose(report.weights, alone.weights, tolerance);
        assertClose(report.totals, alone.totals, tolerance);
        assertClose(report.evaluation, alone.evaluation, tolerance);
        assertClose(report.indices.exact, alone.indices.exact, tolerance);
        assertClose(report.indices.rayleigh, alone.indices.rayleigh, tolerance);
      });
    }
  });
}, 300_000);
