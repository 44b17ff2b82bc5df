// The report: whole, self-contained, safe against hostile names, and readable without a rival or a split.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { escapeHtml, html } from '../../../lib/report/page/html.js';
import { epochsCsv, stagesCsv } from '../../../lib/report/run/csv.js';
import { bins } from '../../../lib/report/run/figures-splitting.js';
import { growingReport, renderReport } from '../../../lib/report/run/write.js';
import { readRun } from '../../../lib/run/store/read.js';
import { type MadeUp, writeMadeUpRun } from '../../run/made-up-run.js';

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

/** One script, the one that the policy names by its hash. */
function expectOneScript(page: string): void {
  const scripts = [...page.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)];
  expect(scripts).toHaveLength(1);
  const hash = createHash('sha256')
    .update(scripts[0]?.[1] ?? '')
    .digest('base64');
  expect(page).toContain(`script-src 'sha256-${hash}'`);
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

  test('says what is to be known of the images, where there is something', async () => {
    const [without, output] = [await reportOf(), madeUpRun()];
    const run = { format: 'splitgrow-run/1', command: 'grow', data: 'the first <batch> of five' };
    writeFileSync(join(output, 'run.json'), JSON.stringify(run));
    expect(without).not.toContain('Images: ');
    expect(readFileSync(await renderReport(output), 'utf8')).toContain(
      'Images: the first &lt;batch&gt; of five',
    );
    expect(await growingReport(output)).toContain('Images: the first &lt;batch&gt; of five');
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

  test('leaves the page, its tables, numbers and plots, and no half-written file', async () => {
    const output = madeUpRun();
    const before = readdirSync(output);
    expect(await renderReport(output)).toBe(join(output, 'report.html'));
    const made = ['report.html', 'report.json', 'stages.csv', 'epochs.csv', 'plots'];
    expect(readdirSync(output).sort()).toEqual([...before, ...made].sort());
    expect(readdirSync(join(output, 'plots')).sort()).toEqual(FIGURES.map((id) => `${id}.svg`).sort());
  });

  test('leaves plots that stand alone: no custom properties; a file of somebody else beside them stays', async () => {
    const output = madeUpRun();
    await renderReport(output);
    writeFileSync(join(output, 'plots', 'mine.svg'), 'mine');
    await renderReport(output);
    expect(readFileSync(join(output, 'plots', 'mine.svg'), 'utf8')).toBe('mine');
    for (const id of FIGURES) {
      const svg = readFileSync(join(output, 'plots', `${id}.svg`), 'utf8');
      expect(svg).toMatch(
        /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*><rect [^>]*fill="#ffffff"\/>/,
      );
      expect(svg).not.toContain('var(');
    }
  });

  test('leaves its numbers as JSON', async () => {
    const output = madeUpRun();
    await renderReport(output);
    const report = JSON.parse(readFileSync(join(output, 'report.json'), 'utf8')) as Record<string, unknown>;
    const { summary, stages, compare, experiment } = await readRun(output);
    expect(report).toMatchObject({
      format: 'splitgrow-report/1',
      ...{ summary, stages, compare, experiment },
      machine: { Node: process.version },
    });
  });

  test('is one file that refers to nothing outside it, and its policy lets its one script run', async () => {
    const page = await reportOf();
    expect(page).not.toMatch(/https?:|\/\/[a-z]|@import|\bsrc=|\bhref=|url\((?!#)/i);
    expect(page).toContain("default-src 'none'");
    expectOneScript(page);
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
    expectOneScript(page);
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
    'method,stage,directory,macs,params,flops2x,compute,top1,top5,loss,seconds_fit,seconds_indices,seconds_select,seconds_grow,' +
      'seconds_evaluate,width_stem,width_b0_pw,width_b1_pw,width_b2_pw,width_b3_pw',
  );
  expect(rows).toHaveLength(5);
  expect(rows[0]).toBe(
    `grown,0,${join(output, 'stage-0')},269312,1130,,,45,75,1.5,22,8,0.03,1.2,0.5,8,8,8,8,8`,
  );
  expect(rows[4]).toMatch(/^width-multiplier,3,/);
});

test('epochs.csv has a row an epoch of every stage', async () => {
  const [head, ...rows] = epochsCsv(await readRun(madeUpRun()))
    .trimEnd()
    .split('\n');
  expect(head).toBe('stage,epoch,loss,top1,learningRate,seconds,part,validationTop1');
  expect(rows).toHaveLength(16);
  expect(rows[0]).toBe('0,0,2.1,39,0.1,3,fit,');
});

describe('a run that still grows', () => {
  /** Two finished stages, the third with epochs but no record, no summary. */
  function growing(): string {
    const output = madeUpRun({ hasRival: false });
    for (const name of ['summary.json', 'stage-2', 'stage-3'])
      rmSync(join(output, name), { recursive: true });
    const epoch = { type: 'epoch', learningRate: 0.1, seconds: 3, top1: 50 };
    const lines = [
      { ...epoch, stage: 1, epoch: 3, loss: 1.5 },
      { ...epoch, stage: 2, epoch: 0, loss: 1.4321 },
    ];
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    writeFileSync(join(output, 'metrics.jsonl'), `${text}\n{"torn`);
    return output;
  }

  test('has a report of its finished stages and of the epochs under way, and nothing is written', async () => {
    const output = growing();
    const before = readdirSync(output);
    const page = await growingReport(output);
    expect(page).toContain('under way: stage 2, 1 epochs done');
    expect(page).toContain('372,100');
    expect(page).not.toContain('59.80');
    expect(page).toContain('stage 2, epoch 1: loss 1.4321');
    expect(page).not.toMatch(/>(undefined|NaN|null)</);
    expect(readdirSync(output)).toEqual(before);
  });

  test('has one from its first moment', async () => {
    const output = growing();
    for (const name of ['stage-0', 'stage-1', 'metrics.jsonl'])
      rmSync(join(output, name), { recursive: true });
    const page = await growingReport(output);
    expect(page).toContain('under way: stage 0, 0 epochs done');
    expect(page).not.toContain('<figure');
    rmSync(join(output, 'experiment.json'));
    await expect(growingReport(output)).rejects.toMatchObject({ code: 'E_FILE' });
  });

  test('has the report of a finished run when it is done', async () => {
    const output = madeUpRun();
    // The drawing library counts its clips over the life of the process.
    const plain = (page: string) => page.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|clip\d+/g, '');
    const whole = readFileSync(await renderReport(output), 'utf8');
    expect(plain(await growingReport(output)) === plain(whole)).toBe(true);
  });
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
