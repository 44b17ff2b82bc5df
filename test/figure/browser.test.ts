// Both reports in headless Chromium, on a phone and a desktop: every figure is there, nothing overflows, nothing is fetched, no script fails.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderFigure } from '../../lib/report/figure/write.js';
import { renderReport } from '../../lib/report/run/write.js';
import { writeMadeUpRun } from '../run/made-up-run.js';
import { findChromium, type Look, openFile, startChromium } from './browser.js';
import { COPIED, CUT_OFF, DRAWINGS, GROUND, OVERLAPPING, UNFOLD, WIDTHS } from './in-page.js';
import { writeMadeUpFigure } from './made-up-figure.js';

const CHROMIUM = findChromium();
const WHY = 'skipped without Chromium: set CHROMIUM to one, or put chromium or google-chrome on PATH';
const FIGURES = { figure: 8 + 3 + 6, 'figure of long names': 2 * (8 + 3 + 6), run: 9 } as const;
type Report = keyof typeof FIGURES;

let folder = '';
let browser: Browser;
const files: Record<Report, string> = { figure: '', 'figure of long names': '', run: '' };

/** Opens a report, unfolds it, works on it, and closes it; whatever the browser complains of fails the test. */
async function withPage<T>(report: Report, look: Look, work: (page: Page) => Promise<T>): Promise<T> {
  const { page, complaints } = await openFile(browser, files[report], look);
  try {
    await page.evaluate(UNFOLD);
    const found = await work(page);
    expect(complaints).toEqual([]);
    return found;
  } finally {
    await page.context().close();
  }
}

async function expectNoOverflow(page: Page): Promise<void> {
  const [needed = 0, given = 0] = await page.evaluate<readonly number[]>(WIDTHS);
  expect(needed).toBeLessThanOrEqual(given);
}

describe.skipIf(CHROMIUM === null)(CHROMIUM === null ? WHY : 'in Chromium', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'splitgrow-browser-'));
    const run = join(folder, 'run');
    mkdirSync(run);
    writeMadeUpRun(run);
    writeMadeUpFigure(folder);
    const [page = ''] = await renderFigure(folder);
    files.figure = page;
    const long = join(folder, 'long');
    mkdirSync(long);
    writeMadeUpFigure(long, {
      ...{ panels: ['MobileNetV1', 'MobileNetV2'], seeds: [0, 1, 2, 3, 4] },
      label: (name) => `${name}, which some experiment gave a name that is longer than any legend`,
    });
    const [second = ''] = await renderFigure(long);
    files['figure of long names'] = second;
    files.run = await renderReport(run);
    browser = await startChromium(CHROMIUM ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(['figure', 'figure of long names', 'run'] as const)('the report of a %s', (report) => {
    test.each([390, 1280])(
      'shows every figure whole at %d pixels, and its body does not overflow',
      async (width) => {
        await withPage(report, { width }, async (page) => {
          const drawings = await page.evaluate<readonly (readonly number[])[]>(DRAWINGS);
          expect(drawings).toHaveLength(FIGURES[report]);
          for (const [wide = 0, high = 0, marks = 0] of drawings) {
            expect(Math.min(wide, high)).toBeGreaterThan(80);
            expect(marks).toBeGreaterThan(0);
          }
          await expectNoOverflow(page);
          expect(await page.evaluate(CUT_OFF)).toEqual([]);
          expect(await page.evaluate(OVERLAPPING)).toEqual([]);
        });
      },
    );

    test('follows the colour scheme', async () => {
      const ground = (colorScheme: 'light' | 'dark') =>
        withPage(report, { width: 390, colorScheme }, (page) => page.evaluate(GROUND));
      expect(await ground('light')).toBe('rgb(246, 247, 249)');
      expect(await ground('dark')).toBe('rgb(17, 20, 24)');
    });

    test('reads without its script: tables are there, buttons are not', async () => {
      const { page } = await openFile(browser, files[report], { width: 390, javaScriptEnabled: false });
      expect(await page.locator('table').first().isVisible()).toBe(true);
      expect(await page.locator('button').first().isVisible()).toBe(false);
      await page.context().close();
    });

    test('on paper has no buttons, and nothing is wider than the sheet', async () => {
      await withPage(report, { width: 794 }, async (page) => {
        await page.emulateMedia({ media: 'print' });
        expect(await page.locator('.copy').first().isVisible()).toBe(false);
        await expectNoOverflow(page);
      });
    });
  });

  test('a table copies as Markdown and as CSV', async () => {
    await withPage('run', { width: 1280 }, async (page) => {
      const table = page.locator('.table').first();
      const copied = () => page.evaluate<string>(COPIED);
      await table.locator('[data-copy="markdown"]').click();
      const markdown = (await copied()).split('\n');
      expect(markdown[0]).toMatch(/^\| stage \| widths \| MACs \| parameters \| top-1 % /);
      expect(markdown[1]).toMatch(/^\| --- \| --- \| ---: \| ---: /);
      expect(markdown[3]).toMatch(/^\| 1 \| 10 15 14 15 16 \| 372,100 \| 2,200 \| 53\.40 /);
      expect(await table.locator('[data-copy="markdown"]').textContent()).toBe('copied');
      await table.locator('[data-copy="csv"]').click();
      const csv = (await copied()).split('\n');
      expect(csv[0]).toMatch(/^stage,widths,MACs,parameters,top-1 %,/);
      expect(csv[2]).toMatch(/^1,10 15 14 15 16,372100,2200,53\.40,/);
      const facts = page.locator('.table').last();
      await facts.locator('[data-copy="markdown"]').click();
      expect((await copied()).split('\n').slice(0, 2)).toEqual(['|  |  |', '| --- | --- |']);
    });
  });

  test('a mark says its values when it is pointed at', async () => {
    await withPage('figure', { width: 1280 }, async (page) => {
      const mark = page.locator('#figure-accuracy-macs-1 path:has(> title)').last();
      const said = await mark.evaluate((element) => element.textContent);
      expect(said).toBe('AMC (reported): 800,000 MACs, top-1 64.80 %');
      await mark.dispatchEvent('pointerover', { bubbles: true });
      expect(await page.locator('.tip').textContent()).toBe(said);
      await page.locator('h1').dispatchEvent('pointerover', { bubbles: true });
      expect(await page.locator('.tip').count()).toBe(0);
    });
  });
});
