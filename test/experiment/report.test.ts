// The report: whole, self-contained, safe against hostile names, and readable without a rival or a split.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stagesCsv } from '../../lib/experiment/report/csv.js';
import { bins } from '../../lib/experiment/report/figures-splitting.js';
import { escapeHtml, html } from '../../lib/experiment/report/html.js';
import { readRun } from '../../lib/experiment/report/read.js';
import { renderReport } from '../../lib/experiment/report.js';
import { type MadeUp, writeMadeUpRun } from './made-up-run.js';

function madeUpRun(options: MadeUp = {}): string {
  const output = mkdtempSync(join(tmpdir(), 'splitgrow-report-'));
  onTestFinished(() => rmSync(output, { recursive: true, force: true }));
  writeMadeUpRun(output, options);
  return output;
}

async function reportOf(options: MadeUp = {}): Promise<string> {
  return readFileSync(await renderReport(madeUpRun(options)), 'utf8');
}

const FIGURES = [
  'accuracy',
  'widths',
  'loss',
  'top1',
  'seconds',
  'steps',
  'indices-0',
  'indices-1',
  'indices-2',
];

/** Every element of a page by name, as a strict reader of tags sees them. */
function tagsOf(page: string): ReadonlySet<string> {
  return new Set([...page.matchAll(/<([a-z][a-z0-9]*)/gi)].map(([, tag = '']) => tag.toLowerCase()));
}

describe('a whole run', () => {
  test('gives a report with every figure, each with marks in it', async () => {
    const page = await reportOf();
    const figures = page.split('<figure id="figure-').slice(1);
    expect(figures.map((figure) => figure.slice(0, figure.indexOf('"')))).toEqual(FIGURES);
    for (const figure of figures) {
      expect(figure).toMatch(/<svg [^>]*viewBox="0 0 \d+ \d+"/);
      expect(figure).toContain('role="graphics-symbol"');
      expect(figure).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  test('gives a report with every table', async () => {
    const page = await reportOf();
    for (const text of [
      'Width multiplier 2.49x',
      '832,400',
      '10 15 14 15 16',
      'logits changed at epsilon 0',
      '3.20e-7',
      'predicted decrease',
      'LP bound',
      'marginal macs',
      'mobilenet_cifar10',
      'processor',
      'LibTorch',
      process.version,
    ]) {
      expect(page).toContain(text);
    }
    expect(page.match(/<details>/g)).toHaveLength(4);
    expect(page).not.toMatch(/>(undefined|NaN|null)</);
  });

  test('leaves report.html and stages.csv and no half-written file', async () => {
    const output = madeUpRun();
    const before = readdirSync(output);
    expect(await renderReport(output)).toBe(join(output, 'report.html'));
    expect(readdirSync(output).sort()).toEqual([...before, 'report.html', 'stages.csv'].sort());
  });

  test('is one file that refers to nothing outside it and runs no script', async () => {
    const page = await reportOf();
    expect(page).not.toMatch(/https?:|\/\/[a-z]|@import|\bsrc=|\bhref=|url\((?!#)/i);
    expect(tagsOf(page)).not.toContain('script');
    expect(page).toContain("default-src 'none'");
  });

  test('has no id twice', async () => {
    const ids = [...(await reportOf()).matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('follows the light and the dark scheme: no figure has a fixed ink', async () => {
    const page = await reportOf();
    const svgs = [...page.matchAll(/<svg [\s\S]*?<\/svg>/g)].map(([svg]) => svg);
    const colours = svgs.flatMap((svg) =>
      [...svg.matchAll(/\b(?:fill|stroke)="([^"]*)"/g)].map(([, colour]) => colour),
    );
    expect(colours.length).toBeGreaterThan(100);
    for (const colour of new Set(colours)) expect(colour).toMatch(/^(none|transparent|var\(--.*|url\(#.*)$/);
  });
});

describe('names from files', () => {
  const HOSTILE = `<img src=x onerror=alert(1)>"'&</style><script>alert(2)</script>`;

  test('are text and never markup', async () => {
    const page = await reportOf({ name: HOSTILE, layer: (id) => `${HOSTILE}${id}` });
    expect(tagsOf(page)).not.toContain('img');
    expect(tagsOf(page)).not.toContain('script');
    expect(page.match(/<\/style>/g)).toHaveLength(1);
    expect(page).toContain(`<h1>${escapeHtml(HOSTILE)}</h1>`);
  });

  test('are no expressions of the plots', async () => {
    const name = `"] || alert(1) || datum["`;
    const page = await reportOf({ layer: (id) => `${name}${id}\\` });
    expect(page).toContain(escapeHtml(`${name}stem\\`));
  });

  test('are no formulas of a spreadsheet', async () => {
    const output = madeUpRun({ layer: (id) => `a,"${id}"\n` });
    const run = await readRun(output);
    const [first] = run.summary.stages;
    if (first === undefined) throw new Error('a stage was expected');
    const csv = stagesCsv({
      ...run,
      summary: { ...run.summary, stages: [{ ...first, directory: '=HYPERLINK("x")' }] },
    });
    expect(csv).toContain(`"'=HYPERLINK(""x"")"`);
    expect(csv).toContain('"width_a,""stem""\n"');
  });
});

test('stages.csv has a row a network, the rival last', async () => {
  const output = madeUpRun();
  const [head, ...rows] = stagesCsv(await readRun(output))
    .trimEnd()
    .split('\n');
  expect(head).toBe(
    'method,stage,directory,macs,params,flops2x,top1,top5,loss,seconds_fit,seconds_indices,seconds_select,seconds_grow,' +
      'seconds_evaluate,width_stem,width_b0_pw,width_b1_pw,width_b2_pw,width_b3_pw',
  );
  expect(rows).toHaveLength(5);
  expect(rows[0]).toBe(
    `grown,0,${join(output, 'stage-0')},269312,1130,,45,75,1.5,22,8,0.03,1.2,0.5,8,8,8,8,8`,
  );
  expect(rows[4]).toMatch(/^width-multiplier,3,/);
});

test('a run without splits and without a rival gives a report without their parts', async () => {
  const page = await reportOf({ stages: 1, hasRival: false });
  const figures = [...page.matchAll(/<figure id="figure-([^"]*)"/g)].map(([, id]) => id);
  expect(figures).toEqual(['accuracy', 'widths', 'loss', 'top1', 'seconds']);
  expect(page).not.toContain('Budgets and certificates');
  expect(page).not.toMatch(/>(undefined|NaN|null)</);
});

test('the chosen neurons of a bin are part of its bar', () => {
  const pick = (index: number) => ({ group: 'g', neuron: 0, index, costs: {}, ratio: 0 });
  const bars = bins({ edges: [-2, -1, 0], counts: [2, 3] }, [pick(-2), pick(-1), pick(0)]);
  expect(bars.map(({ low, from, to, kind }) => ({ low, from, to, kind }))).toEqual([
    { low: -2, from: 0, to: 1, kind: 'split' },
    { low: -2, from: 1, to: 2, kind: 'kept' },
    { low: -1, from: 0, to: 2, kind: 'split' },
    { low: -1, from: 2, to: 3, kind: 'kept' },
  ]);
});

test('html`` escapes what it is given, once', () => {
  expect(html`<b>${'<i>'}</b>${html`<u>${'&'}</u>`}${['"', 3, null]}`.html).toBe(
    '<b>&lt;i&gt;</b><u>&amp;</u>&quot;3',
  );
});

describe('a folder that holds no run', () => {
  test('is an E_FILE that says what to do', async () => {
    const output = mkdtempSync(join(tmpdir(), 'splitgrow-report-'));
    onTestFinished(() => rmSync(output, { recursive: true, force: true }));
    await expect(renderReport(output)).rejects.toMatchObject({
      code: 'E_FILE',
      message: expect.stringContaining('splitgrow grow'),
    });
    expect(readdirSync(output)).toEqual([]);
  });

  test('is an E_FILE where a record is torn or of another format', async () => {
    const output = madeUpRun();
    const file = join(output, 'stage-1', 'stage.json');
    for (const text of ['{"format":', '{"format":"other/1"}', '"text"']) {
      writeFileSync(file, text);
      await expect(renderReport(output)).rejects.toMatchObject({
        code: 'E_FILE',
        message: expect.stringContaining(file),
      });
    }
    rmSync(file);
    mkdirSync(file);
    await expect(renderReport(output)).rejects.toMatchObject({ code: 'E_FILE' });
  });
});
