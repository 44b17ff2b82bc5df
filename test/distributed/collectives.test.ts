// Two and three ranks against one process, in double precision: nothing but the order of sums may differ.
import { beforeAll, describe, expect, test } from 'vitest';
import { core } from '../native/golden.js';
import { assertClose, randomOf } from '../reference.js';
import { reportsOf } from './processes.js';

interface IndicesReport {
  readonly indices: readonly number[];
  readonly directions: readonly number[];
}
interface Report {
  readonly plain: readonly number[];
  readonly normed: readonly number[];
  readonly totals: readonly number[];
  readonly evaluation: { readonly loss: number; readonly top1: number; readonly top5: number };
  readonly exact: IndicesReport;
  readonly rayleigh: IndicesReport;
  readonly lobpcg: IndicesReport;
  readonly rows: readonly number[];
  readonly sum: readonly number[];
  readonly sent: readonly number[];
  readonly nothing: number;
  readonly any: readonly boolean[];
  readonly same: string;
  readonly different: string;
  readonly aborted: { readonly text: string; readonly digest: string };
  readonly inOnePiece: string;
  readonly inBuckets: string;
}

/** Sums of float64 in another order, through twelve steps of SGD with momentum. */
const ROUNDING = { rtol: 1e-11, atol: 1e-13 };
/** A unit vector after twelve steps of the descent, where RMSprop divides by small numbers. */
const DIRECTION = { rtol: 0, atol: 1e-9 };

let alone: Report;
beforeAll(async () => {
  [alone] = (await reportsOf<Report>(1)) as [Report];
});

describe.each([2, 3])('%i ranks', (world) => {
  let ranks: readonly Report[];
  beforeAll(async () => {
    ranks = await reportsOf<Report>(world);
  });
  const each = (check: (report: Report, rank: number) => void): void => ranks.forEach(check);

  test('train to the weights of one process: pieces that add up, uneven minibatches, one of 1 image, penalties', () => {
    each(({ plain }, rank) => assertClose(plain, alone.plain, { ...ROUNDING, note: `rank ${rank}` }));
  });

  test('train to the weights and statistics of one process with synchronised batch norm', () => {
    each(({ normed }, rank) => assertClose(normed, alone.normed, { ...ROUNDING, note: `rank ${rank}` }));
    each(({ totals }) => assertClose(totals, alone.totals, { rtol: 1e-12, atol: 0 }));
  });

  test('hold the same bits of weights, indices and directions', () => {
    each(({ plain, normed, exact, rayleigh, lobpcg }) =>
      expect({ plain, normed, exact, rayleigh, lobpcg }).toEqual({
        plain: ranks[0]?.plain,
        normed: ranks[0]?.normed,
        exact: ranks[0]?.exact,
        rayleigh: ranks[0]?.rayleigh,
        lobpcg: ranks[0]?.lobpcg,
      }),
    );
  });

  test('find the accuracy of one process exactly, and its loss', () => {
    each(({ evaluation: { loss, top1, top5 } }) => {
      expect([top1, top5]).toEqual([alone.evaluation.top1, alone.evaluation.top5]);
      assertClose([loss], [alone.evaluation.loss], { rtol: 1e-12, atol: 0 });
    });
  });

  test.each(['exact', 'rayleigh', 'lobpcg'] as const)(
    'find the %s indices and directions of one process',
    (method) => {
      const scale = Math.max(...alone[method].indices.map(Math.abs));
      each((report) => {
        assertClose(report[method].indices, alone[method].indices, { rtol: 0, atol: 1e-10 * scale });
        assertClose(report[method].directions, alone[method].directions, DIRECTION);
      });
    },
  );

  test('work on every image once, whole minibatches aside', () => {
    expect(ranks.flatMap(({ rows }) => imagesOf(rows)).sort((a, b) => a - b)).toEqual([
      ...Array.from({ length: 21 }, (_, at) => at),
      ...Array.from({ length: world }, () => 21),
    ]);
  });

  test('give sums, bytes of rank 0 and votes to all', () => {
    const ones = Array.from({ length: world }, (_, rank) => rank + 1).reduce((a, b) => a + b);
    each((report) => {
      expect(report.sum).toEqual([ones, world / 2]);
      expect(report.sent).toEqual([1, 2, 250]);
      expect(report.nothing).toBe(0);
      expect(report.any).toEqual([true, false]);
    });
  });

  test('agree on what is equal, and all refuse what differs, naming the rank', () => {
    each(({ same, different }) => {
      expect(same).toBe('nothing was thrown');
      expect(different).toMatch(
        /^E_RANKS: the plan: expected the same on all \d ranks, got a\.1 2 on rank 0 and 3 on rank 1;/,
      );
    });
  });

  test('stop at the same minibatch where one of them is aborted', () => {
    each(({ aborted }) => {
      expect(aborted.text).toBe('E_ABORTED: the work was aborted');
      expect(aborted.digest).toBe(ranks[0]?.aborted.digest);
    });
  });
});

test('buckets beside the backward pass leave the bits of one sum after it', async () => {
  // Of two ranks: a sum of two numbers has one order.
  for (const { inOnePiece, inBuckets } of await reportsOf<Report>(2)) expect(inBuckets).toBe(inOnePiece);
});

/** Positions that rows of [minibatch, piece, from, count] hold. */
function imagesOf(rows: readonly number[]): readonly number[] {
  const images: number[] = [];
  for (let i = 0; i < rows.length; i += 4) {
    const [from = 0, count = 0] = rows.slice(i + 2, i + 4);
    for (let at = from; at < from + count; at += 1) images.push(at);
  }
  return images;
}

test('no image is lost or worked on twice, whatever the sizes; a minibatch too small for all ranks is whole on each', () => {
  const random = randomOf(11);
  const below = (most: number): number => 1 + Math.floor(random() * most);
  for (let round = 0; round < 400; round += 1) {
    const [images, batch, world] = [below(60), below(20), below(9)];
    const microBatch = below(8) - 1;
    const note = JSON.stringify({ round, images, batch, world, microBatch });
    const all = Array.from({ length: world }, (_, rank) => [
      ...core().rowsOfRank({ images, batch, microBatch, rank, world }),
    ]);
    const seen = new Map<number, number>();
    for (const at of all.flatMap(imagesOf)) seen.set(at, (seen.get(at) ?? 0) + 1);
    for (let at = 0; at < images; at += 1) {
      const step = Math.floor(at / batch);
      const isSmall = Math.min(batch, images - step * batch) < world;
      expect(seen.get(at), `${note} image ${at}`).toBe(isSmall ? world : 1);
    }
    expect(seen.size, note).toBe(images);
    // As many pieces of each minibatch on every rank, and none empty: ranks meet within a piece.
    const pieces = all.map((rows) => rows.filter((_, i) => i % 4 < 2).join());
    expect(new Set(pieces).size, note).toBe(1);
    for (const rows of all) expect(Math.min(...rows.filter((_, i) => i % 4 === 3)), note).toBeGreaterThan(0);
  }
});
