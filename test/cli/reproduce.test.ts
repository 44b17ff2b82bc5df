// `splitgrow reproduce`: what it prints, what it refuses, and how it goes on after a kill.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FigureEntry, PlanDocument, ReproduceDocument } from '../../lib/api/reproduce.js';
import { showFigureOn } from '../../lib/cli/reproduce.js';
import { meanAndDeviation } from '../../lib/cli/reproduce-tables.js';
import { figureOnDisk, type Place } from '../figure/made-up.js';
import { ask, listenTo } from './ask.js';
import { errorLine, splitgrow, start } from './command-line.js';

function words({ root, out }: Place, ...others: readonly string[]): readonly string[] {
  return ['reproduce', 'mini', '--experiments', root, '--out', out, '--scale', 'smoke', ...others];
}

function lastLine(stderr: string): ReturnType<typeof errorLine> {
  return errorLine({ code: 0, signal: null, stdout: '', stderr: `${stderr.trimEnd().split('\n').at(-1)}\n` });
}

test('prints a table with mean and deviation, and the report; progress names the run; --json is the document', async () => {
  const place = await figureOnDisk();
  const { code, stdout, stderr } = await splitgrow(words(place, '--seeds', '2'));
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('Made up (smoke: tiny)');
  expect(stdout).toMatch(/\nnetwork +stage +MACs +compute +top-1 % +epochs +seeds\n/);
  expect(stdout).toMatch(/\naware +1 +[\d,]+ +[\d.]+ [MG] +\d+\.\d\d ± \d+\.\d\d +4 +2\n/);
  expect(stdout).toContain(join(place.out, 'smoke', 'mini', 'report.html'));
  expect(stderr).toMatch(/^aware, seed 1: stage 1 {2}epoch 2 of 2: loss/m);
  expect(stderr).toMatch(/^random, seed 0: done$/m);

  const again = await splitgrow(words(place, '--seeds', '2', '--json'));
  const document = JSON.parse(again.stdout) as ReproduceDocument;
  expect(document).toMatchObject({ id: 'mini', scale: 'smoke', seeds: [0, 1], failed: [] });
  expect(document.curves.map(({ label }) => label)).toEqual(['aware', 'random']);
});

test('a failed run leaves the table of the others, exit code 1 and one line that names it', async () => {
  const curves = [
    { label: 'good', experiment: 'tiny.json' },
    { label: 'bad', experiment: 'tiny.json', set: ['fit.optimizer.learningRate=1e30'] },
  ];
  const { code, stdout, stderr } = await splitgrow(words(await figureOnDisk({ curves })));
  expect(code).toBe(1);
  expect(stdout).toMatch(/\ngood +1 /);
  const error = lastLine(stderr);
  expect(error?.code).toBe('E_FIGURE');
  expect(error?.text).toContain('"bad, seed 0"');
  expect(error?.text).toContain('run the same command again');
});

test('killed in the midst, it goes on to the same networks; Ctrl-C stops all runs with exit code 130', {
  timeout: 1_200_000,
}, async () => {
  const [whole, broken] = [await figureOnDisk(), await figureOnDisk()];
  expect((await splitgrow(words(whole))).code).toBe(0);
  for (const [signal, lines] of [
    ['SIGKILL', 1],
    ['SIGINT', 4],
    ['SIGKILL', 2],
  ] as const) {
    const { child, ended } = start(words(broken, '--jobs', '2'));
    let seen = 0;
    child.stderr?.on('data', (text: string) => {
      seen += text.split('\n').length - 1;
      if (seen >= lines && !child.killed) child.kill(signal);
    });
    const result = await ended;
    if (signal === 'SIGINT' && result.code !== 0) {
      expect(result.code, result.stderr).toBe(130);
      expect(lastLine(result.stderr)?.code).toBe('E_ABORTED');
    }
  }
  const last = await splitgrow(words(broken));
  expect(last.code, last.stderr).toBe(0);
  const weights = (place: Place): readonly string[] => {
    const runs = join(place.out, 'smoke', 'runs');
    return readdirSync(runs)
      .sort()
      .filter((name) => !name.includes('stage0'))
      .map((name) => readFileSync(join(runs, name, 'stage-1', 'weights.safetensors'), 'hex'));
  };
  expect(weights(broken)).toEqual(weights(whole));
});

test('--watch serves the report of what is there while the other runs go on', async () => {
  const { child, ended } = start(words(await figureOnDisk(), '--jobs', '1', '--seeds', '3', '--watch'));
  const url = await new Promise<string>((resolve) => {
    child.stderr?.on('data', (text: string) => {
      const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(text);
      if (found !== null) resolve(found[0]);
    });
  });
  const { next } = await listenTo(url);
  const titles: string[] = [];
  while ((await next()) !== 'end')
    titles.push(/<h1>([^<]*)<\/h1>/.exec((await ask(url)).text)?.[1] ?? 'no title');
  expect(titles[0]).toBe('waiting');
  // One after the first run at least, and the last one.
  expect(titles.filter((title) => title === 'Made up').length).toBeGreaterThanOrEqual(2);
  expect((await ended).code).toBe(0);
});

test('--list names every figure, --scale plan prints MACs without data', async () => {
  const listed = await splitgrow(['reproduce', '--list', '--json']);
  const ids = (JSON.parse(listed.stdout) as FigureEntry[]).map(({ id }) => id);
  expect(ids).toEqual(
    expect.arrayContaining(['fig3', 'fig4a', 'fig4b', 'fig5', 'fig6a', 'fig6b', 'table1', 'table2']),
  );
  const planned = await splitgrow(['reproduce', 'table1', '--scale', 'plan', '--json']);
  const { rows } = JSON.parse(planned.stdout) as PlanDocument;
  expect(rows.map(({ macs }) => macs)).toContain(568_740_352);
  const text = await splitgrow(['reproduce', 'table1', '--scale', 'plan']);
  expect(text.stdout).toMatch(
    /\nMobileNetV1 +seed +4 +568,740,352 +4,231,976 +120 +MobileNetV1 \(paper\) +569,000,000 /,
  );
});

test('what is wrong ends with exit code 2, one line, and nothing written', async () => {
  const place = await figureOnDisk();
  const wrong: readonly (readonly [words: readonly string[], code: string, says: RegExp])[] = [
    [['reproduce', 'fig33'], 'E_USAGE', /did you mean "fig3"\?/],
    [['reproduce'], 'E_USAGE', /--list/],
    [words(place, '--scale', 'paper'), 'E_USAGE', /expected one of its scales, smoke, or plan; got paper/],
    [words(place, '--list', '--watch'), 'E_USAGE', /--watch: expected a scale that runs .* found --list/],
    [['reproduce', 'table1', '--scale', 'plan', '--watch'], 'E_USAGE', /found --scale plan/],
    [words(place, '--set', 'fit.epcohs=1'), 'E_EXPERIMENT', /curve "aware".*fit\.epcohs.*"epochs"/],
    [words(place, '--set', 'data={"name":"cifar10","root":"/nowhere"}'), 'E_DATA', /\/nowhere/],
  ];
  for (const [line, code, says] of wrong) {
    const ended = await splitgrow(line);
    expect({ code: ended.code, stdout: ended.stdout }, line.join(' ')).toEqual({ code: 2, stdout: '' });
    expect(errorLine(ended)?.code).toBe(code);
    expect(errorLine(ended)?.text).toMatch(says);
  }
  expect(existsSync(place.out)).toBe(false);
});

test('on a terminal one bar tells of all runs', () => {
  const shown: (readonly [number, string])[] = [];
  const show = showFigureOn({
    show: (fraction, text) => shown.push([fraction, text]),
    note: () => undefined,
    stop: () => undefined,
  });
  const progress = {
    runs: 12,
    ended: 3,
    running: 2,
    fraction: 0.25,
    imagesPerSecond: 5120.4,
    secondsLeft: 80,
  };
  show({ type: 'progress', ...progress });
  show({ type: 'progress', ...progress, running: 0, imagesPerSecond: 0, secondsLeft: Number.NaN });
  expect(shown).toEqual([
    [0.25, '3 of 12 runs, 2 at work  5,120 images/s  1:20 left'],
    [0.25, '3 of 12 runs'],
  ]);
});

test('a deviation is that of a sample, and of one seed there is none', () => {
  // 1, 2, 6: mean 3, squares 4 + 1 + 9 over 2.
  expect(meanAndDeviation([1, 2, 6], 2)).toBe('3.00 ± 2.65');
  expect(meanAndDeviation([1], 1)).toBe('1.0');
  expect(meanAndDeviation([], 1)).toBe('–');
});
