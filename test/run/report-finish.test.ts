// Finished copies in the report: branches of the figures along epochs, rows of epochs.csv.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { epochsCsv } from '../../lib/report/run/csv.js';
import { epochFigure } from '../../lib/report/run/figures-time.js';
import { renderReport } from '../../lib/report/run/write.js';
import { readRun } from '../../lib/run/store/read.js';
import { writeMadeUpRun } from './made-up-run.js';
import { temporaryFolder } from './tiny.js';

interface Layer {
  readonly data: { readonly values: readonly Readonly<Record<string, unknown>>[] };
  readonly mark: { readonly type: string; readonly opacity?: number };
}

function made(finish: number): string {
  const output = temporaryFolder();
  writeMadeUpRun(output, { stages: 2, hasRival: false, finish });
  return output;
}

const layersOf = async (finish: number, measure: 'loss' | 'top1'): Promise<readonly Layer[]> =>
  (epochFigure(await readRun(made(finish)), measure).spec as unknown as { readonly layer: readonly Layer[] })
    .layer;

test("a finished copy is a lighter line from its stage's last epoch on, with the test images at its end", async () => {
  const [, branches, training, tests] = await layersOf(2, 'top1');
  expect(branches?.mark).toMatchObject({ type: 'line', opacity: 0.4 });
  // Four epochs a stage: the next one goes on from the fifth.
  expect(branches?.data.values.map(({ stage, epoch, top1 }) => [stage, epoch, top1])).toEqual([
    [0, 4, 43.5],
    [0, 5, 44],
    [0, 6, 45],
    [1, 8, 51.9],
    [1, 9, 52.4],
    [1, 10, 53.4],
  ]);
  expect(training?.data.values.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(tests?.data.values.map(({ epoch, top1 }) => [epoch, top1])).toEqual([
    [6, 45],
    [10, 53.4],
  ]);
  expect(await layersOf(0, 'top1')).toHaveLength(3);
});

test('the report draws them and says what they are; without them it says nothing of them', async () => {
  const page = readFileSync(await renderReport(made(2)), 'utf8');
  const plain = readFileSync(await renderReport(made(0)), 'utf8');
  const lines = (text: string, id: string): number =>
    (text.split(`<figure id="figure-${id}"`)[1]?.split('</figure>')[0] ?? '').split('line mark').length - 1;
  for (const id of ['loss', 'top1']) expect(lines(page, id) - lines(plain, id), id).toBeGreaterThanOrEqual(2);
  expect(page).toContain('Lighter lines are copies that were finished');
  expect(page).not.toMatch(/>(undefined|NaN|null)</);
  expect(plain).not.toContain('Lighter lines');
});

test('epochs.csv marks the epochs of finished copies', async () => {
  const output = made(2);
  await renderReport(output);
  const text = readFileSync(join(output, 'epochs.csv'), 'utf8');
  expect(text).toBe(epochsCsv(await readRun(output)));
  const [head, ...rows] = text.trimEnd().split('\n');
  expect(head).toBe('stage,epoch,loss,top1,learningRate,seconds,part,validationTop1');
  expect(rows.map((row) => row.replace(/^(\d),(\d),.*,(\w+),$/, '$1 $2 $3'))).toEqual(
    [0, 1].flatMap((stage) => [
      ...[0, 1, 2, 3].map((epoch) => `${stage} ${epoch} fit`),
      ...[0, 1].map((epoch) => `${stage} ${epoch} finish`),
    ]),
  );
  expect(rows[4]).toBe('0,0,1.9,44,0.05,3,finish,');
});
