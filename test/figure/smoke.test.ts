// Every figure and table that ships, the whole way at smoke scale, on the images that ship.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { reproduce } from '../../lib/api/reproduce.js';
import { EXPERIMENTS, figureIds, readFigure } from '../../lib/figure/files.js';
import { readRun } from '../../lib/run/store/read.js';

const IDS = await figureIds(EXPERIMENTS);
/** One for all figures: what they share is trained once. */
const OUT = mkdtempSync(join(tmpdir(), 'splitgrow-smoke-'));
afterAll(() => rmSync(OUT, { recursive: true, force: true }));

test('the figures of sections 5.1 to 5.4 are there', () => {
  const expected = [
    'fig3',
    'fig4a',
    'fig4b',
    'fig5',
    'fig6a',
    'fig6b',
    'ablation-step',
    'compute',
    'scratch',
    'table1',
    'table2',
  ];
  expect([...IDS].sort()).toEqual(expected.sort());
});

test.each(IDS)(
  '%s runs at smoke scale, every curve and claim of it, and leaves its report',
  { timeout: 3_000_000 },
  async (id) => {
    const { spec } = await readFigure(id);
    const document = await reproduce({ id, scale: 'smoke', out: OUT, jobs: 2, threads: 1 });
    expect(document.failed).toEqual([]);
    const left = spec.scales.smoke?.curves;
    const isRun = (curve: { readonly label: string; readonly panel: string }): boolean =>
      left === undefined || left.includes(curve.label) || left.includes(curve.panel);
    const [run, panels] = [
      spec.curves.filter(isRun),
      new Set(spec.curves.filter(isRun).map((one) => one.panel)),
    ];
    for (const { label, panel } of run) {
      const curve = document.curves.find((one) => one.panel === panel && one.label === label);
      expect(curve?.points.length, `${panel} ${label}`).toBeGreaterThan(0);
      for (const { top1, macs } of curve?.points ?? []) {
        expect(macs).toBeGreaterThan(0);
        expect(top1).toBeGreaterThanOrEqual(0);
      }
    }
    const labels = document.curves.map(({ panel, label }) => `${panel} ${label}`);
    // The claims of a panel that this scale leaves out name its curves, and rivals that another panel has as well.
    const known = new Set(document.curves.map(({ label }) => label));
    for (const { panel, better, than } of spec.claims) {
      const isOut = !panels.has(panel);
      const own = spec.curves.flatMap((curve) => (curve.panel === panel ? [curve.label] : []));
      if (isOut) {
        expect([...own, ...known]).toContain(better);
        expect([...own, ...known]).toContain(than);
      } else {
        expect(labels).toContain(`${panel} ${better}`);
        expect(labels).toContain(`${panel} ${than}`);
      }
    }
    for (const file of document.files) expect(existsSync(file), file).toBe(true);
    const figure = JSON.parse(readFileSync(join(document.directory, 'figure.json'), 'utf8')) as {
      readonly runs: readonly { readonly output: string }[];
    };
    for (const { output } of figure.runs) {
      const { stages } = await readRun(join(document.directory, output));
      expect(stages.length).toBeGreaterThan(0);
    }
  },
);
