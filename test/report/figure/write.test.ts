// The report of a figure: files, every plot of the table, tables, hostile names, and what is refused.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PLOTS } from '../../../lib/report/figure/plots.js';
import { figureReport, renderFigure } from '../../../lib/report/figure/write.js';
import { escapeHtml } from '../../../lib/report/page/html.js';
import { type MadeUpFigure, writeMadeUpFigure } from '../../figure/made-up-figure.js';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-figure-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function madeUp(options: MadeUpFigure = {}): string {
  const folder = temporaryFolder();
  writeMadeUpFigure(folder, options);
  return folder;
}

function figuresOf(page: string): readonly string[] {
  return [...page.matchAll(/<figure id="figure-([^"]*)"/g)].map(([, id = '']) => id);
}

describe('a whole figure', () => {
  test('gives the page, two tables, the statistics and one SVG a plot; their paths are returned', async () => {
    const folder = madeUp();
    const before = readdirSync(folder);
    const paths = await renderFigure(folder);
    const names = ['report.html', 'points.csv', 'curves.csv', 'summary.json'];
    expect(readdirSync(folder).sort()).toEqual([...before, ...names, 'plots'].sort());
    expect(paths.slice(0, 4)).toEqual(names.map((name) => join(folder, name)));
    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(paths.slice(4)).toEqual(figuresOf(page).map((id) => join(folder, 'plots', `${id}.svg`)));
    for (const path of paths.slice(4)) expect(readFileSync(path, 'utf8')).toMatch(/^<svg xmlns=/);
  });

  test('draws every kind of plot, a heat map a curve and the histograms of a run of each', async () => {
    const page = await figureReport(madeUp());
    const ids = figuresOf(page);
    expect(ids.slice(0, 8)).toEqual(Object.keys(PLOTS).map((kind) => `${kind}-1`));
    expect(ids.slice(8, 11)).toEqual(['widths-1', 'widths-2', 'widths-3']);
    expect(ids.slice(11)).toHaveLength(6);
    for (const figure of page.split('<figure ').slice(1)) {
      expect(figure).toMatch(/<title>[^<]+<\/title>/);
      expect(figure).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  test('says mean and deviation on hover, and marks what is reported', async () => {
    const page = await figureReport(madeUp());
    const wanted = [
      '<title>energy-aware, stage 0: 269,312 MACs, top-1 45.31 ± 0.44 %, 2 seeds</title>',
      'AMC (reported)',
      'AMC: Table 2 of the paper',
    ];
    expect(wanted.filter((text) => !page.includes(text))).toEqual([]);
  });

  test('has its tables: claims, curves, equal cost, search cost, certificates, experiments, machine', async () => {
    const page = await figureReport(madeUp());
    const wanted = [
      'Energy-aware splitting is above vanilla splitting at equal MACs.',
      '<span class="good">agrees</span>',
      '<span class="bad">disagrees</span>',
      '66.60 ± 0.70',
      '5,316 ± 71',
      'LP bound',
      '&quot;growthRatio&quot;: 0.5',
      '1:12:01',
      'v20.20.2',
    ];
    expect(wanted.filter((text) => !page.includes(text))).toEqual([]);
    expect(page).not.toMatch(/>(undefined|NaN|null)</);
    expect(page.match(/data-copy="csv"/g)).toHaveLength(6);
  });

  test('has one set of axes a panel', async () => {
    const page = await figureReport(
      madeUp({ panels: ['k = 3', 'k = 6'], plots: ['accuracy-macs', 'twins'] }),
    );
    const ids = figuresOf(page);
    expect(ids.slice(0, 4)).toEqual(['accuracy-macs-1', 'accuracy-macs-2', 'twins-1', 'twins-2']);
    expect(page).toContain('Accuracy against MACs · k = 6');
    const all = [...page.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(all).size).toBe(all.length);
  });

  test('leaves a row a point and a row a stage, and the statistics as JSON', async () => {
    const folder = madeUp();
    await renderFigure(folder);
    const lines = (name: string) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
    const points = lines('points.csv');
    expect(points).toHaveLength(1 + 3 * 2 * 4 + 2);
    expect(points[0]).toMatch(/^panel,curve,kind,method,source,seed,stage,macs,params,top1,.*,width_b3_pw$/);
    expect(points.at(-1)).toBe('k = 3,AMC,reported,,Table 2 of the paper,,,800000,,64.8,,,,,,,,,,');
    const curves = lines('curves.csv');
    expect(curves).toHaveLength(1 + 3 * 4 + 2);
    expect(curves[1]).toMatch(/^k = 3,energy-aware,grown,energy-aware,0,2,269312,0,1130,0,45\.31,0\.438/);
    const summary = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')) as Record<string, unknown>;
    expect(summary).toMatchObject({
      ...{ format: 'splitgrow-figure-summary/1', id: 'fig3', seconds: 4321 },
      claims: [{ verdict: 'agrees' }, { verdict: 'disagrees' }],
    });
  });
});

describe('a figure that is only begun', () => {
  test('has a report without points, and says what each plot waits for', async () => {
    const folder = madeUp({ change: { curves: [], claims: [], runs: [] } });
    const page = await figureReport(folder);
    expect(figuresOf(page)).toEqual([]);
    expect(page).toContain('it needs points whose parameters are known');
    expect(page).not.toMatch(/NaN|undefined/);
    expect(readdirSync(folder)).not.toContain('report.html');
  });

  test('with one seed has means without deviations and undecided claims', async () => {
    const page = await figureReport(madeUp({ seeds: [3] }));
    expect(page).toContain('<span class="open">undecided</span>');
    expect(page).not.toMatch(/\d ± |NaN/);
    expect(page).toContain('Spread over seeds: nothing to draw yet');
  });

  test('after a failed run draws the stages and seeds that are there, in every kind of plot', async () => {
    const folder = temporaryFolder();
    const figure = writeMadeUpFigure(folder);
    const [whole, cut] = figure.curves;
    if (whole === undefined || cut === undefined) throw new Error('two curves were expected');
    // Of the second curve seed 0 failed in its second stage and seed 1 left nothing; the rivals never began.
    const runs = figure.runs.filter(({ label, seed }) => label !== cut.label || seed === 0);
    const output = join(folder, runs.find(({ label }) => label === cut.label)?.output ?? '');
    for (const stage of [1, 2, 3]) rmSync(join(output, `stage-${stage}`), { recursive: true });
    const points = cut.points.filter(({ stage, seed }) => stage === 0 && seed === 0);
    const curves = [whole, { ...cut, points, costs: cut.costs.slice(0, 1) }];
    writeFileSync(join(folder, 'figure.json'), JSON.stringify({ ...figure, curves, runs }));
    const page = await figureReport(folder);
    expect(figuresOf(page).slice(0, 8)).toEqual(Object.keys(PLOTS).map((kind) => `${kind}-1`));
    expect(page).toContain('vanilla, stage 0: 269,312 MACs, top-1 45.00 %');
    expect(page).not.toMatch(/NaN|undefined|Infinity|>null</);
    expect(page.match(/<span class="open">undecided<\/span>/g)).toHaveLength(2);
    expect(await renderFigure(folder)).toContain(join(folder, 'summary.json'));
  });

  test('tells which run cannot be read, and draws the others', async () => {
    const folder = madeUp({ plots: ['split-seconds'] });
    rmSync(join(folder, 'runs', '0-vanilla-1'), { recursive: true });
    const page = await figureReport(folder);
    expect(page).toContain('k = 3 · vanilla · seed 1:');
    expect(figuresOf(page)).toContain('split-seconds-1');
  });
});

test('names from files are text and never markup, and no expressions of the plots', async () => {
  const hostile = `<img src=x onerror=alert(1)>"'&</style><script>alert(2)</script>"] || alert(1) || datum["\\`;
  const page = await figureReport(madeUp({ title: hostile, label: (name) => `${hostile}${name}` }));
  expect(page).not.toMatch(/<img/i);
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page.match(/<\/style>/g)).toHaveLength(1);
  expect(page).toContain(`<h1>${escapeHtml(hostile)}</h1>`);
});

describe('is refused with E_FILE', () => {
  const refuses = (folder: string, text: string) =>
    expect(renderFigure(folder)).rejects.toMatchObject({
      code: 'E_FILE',
      message: expect.stringContaining(text),
    });

  test('a folder without figure.json', () => refuses(temporaryFolder(), 'splitgrow reproduce'));

  test('a file of another format or torn', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'figure.json'), '{"format":"other/1"}');
    await refuses(folder, 'splitgrow-figure/1');
    writeFileSync(join(folder, 'figure.json'), '{"format":');
    await refuses(folder, 'expected JSON');
  });

  test('an unknown plot, a claim about no curve, a curve twice, a point without MACs', async () => {
    await refuses(madeUp({ plots: ['pie'] }), 'accuracy-macs');
    const whole = writeMadeUpFigure(temporaryFolder());
    const [curve] = whole.curves;
    const [claim] = whole.claims;
    if (curve === undefined || claim === undefined) throw new Error('a curve and a claim were expected');
    const [first] = curve.points;
    if (first === undefined) throw new Error('a point was expected');
    await refuses(madeUp({ change: { claims: [{ ...claim, than: 'nobody' }] } }), 'nobody');
    await refuses(madeUp({ change: { curves: [curve, curve], claims: [] } }), 'twice');
    const points = [{ ...first, macs: 0 }];
    await refuses(madeUp({ change: { curves: [{ ...curve, points }], claims: [] } }), 'point 0');
  });
});
