import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { figureIds, readFigure } from '../../lib/figure/files.js';
import { parseFigure, scaleOf } from '../../lib/figure/spec.js';
import { figureJson, figureOnDisk } from './made-up.js';

const CURVE = { label: 'aware', experiment: 'tiny.json' };
const SCALE = { note: 'n', seeds: 1 };

test('what is left out has its default', () => {
  const figure = parseFigure(figureJson());
  expect(figure.curves[0]).toEqual({ ...CURVE, panel: '', set: [] });
  expect({ reported: figure.reported, plots: figure.plots, claims: figure.claims }).toEqual({
    reported: [],
    plots: [],
    claims: [],
  });
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ['an unknown field names the nearest', { curevs: [] }, /^curevs: unknown field; did you mean "curves"\?/],
  [
    'an unknown field of a curve too',
    { curves: [{ ...CURVE, pannel: 'x' }] },
    /curves\.0\.pannel: .*"panel"/,
  ],
  ['another format', { format: 'x' }, /format: expected one of splitgrow-figure-spec\/1, got "x"/],
  ['no curve', { curves: [] }, /^curves: expected/],
  [
    'an override without a value',
    { curves: [{ ...CURVE, set: ['a'] }] },
    /curves\.0\.set\.0: expected path=value/,
  ],
  ['a label twice in a panel', { curves: [CURVE, CURVE] }, /"aware" twice in panel ""/],
  ['no scale', { scales: {} }, /^scales: expected at least one of smoke, cpu, paper/],
  [
    'a scale that leaves in no known curve',
    { scales: { cpu: { ...SCALE, curves: ['awear'] } } },
    /scales\.cpu\.curves: there is no "awear"; did you mean "aware"\?/,
  ],
  [
    'a network of no stage',
    { curves: [{ ...CURVE, network: 'last' }] },
    /curves: expected network only with a stage.*"last"/,
  ],
  [
    'a claim about no known panel',
    { claims: [{ panel: 'k', better: 'a', than: 'b', text: 't' }] },
    /claims\.0\.panel: there is no "k"/,
  ],
  [
    'a reported point beside no known curve',
    { reported: [{ label: 'p', source: 's', points: [{ macs: 1, top1: 1, beside: { curve: 'x' } }] }] },
    /reported\.0\.points: there is no "x"/,
  ],
])('%s is refused', (_claim, change, message) => {
  expect(() => parseFigure(figureJson(change))).toThrow(
    expect.objectContaining({ code: 'E_EXPERIMENT', message: expect.stringMatching(message) }),
  );
});

test('points of one label, each with its stage, are one curve', () => {
  const points = [0, 1].map((stage) => ({ ...CURVE, stage }));
  expect(parseFigure(figureJson({ curves: points })).curves).toHaveLength(2);
});

test('a scale that the figure lacks is refused, naming those it has', () => {
  expect(() => scaleOf(parseFigure(figureJson()), 'paper')).toThrow(
    /mini: expected one of its scales, smoke, or plan; got paper/,
  );
});

test('an unknown id is refused with the nearest, a wrong file with its place', async () => {
  const { root } = await figureOnDisk();
  expect(await figureIds(root)).toEqual(['mini']);
  await expect(readFigure('mino', root)).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('did you mean "mini"? known: mini'),
  });
  mkdirSync(join(root, 'other'));
  const file = join(root, 'other', 'figure.json');
  writeFileSync(file, '{');
  await expect(readFigure('other', root)).rejects.toMatchObject({ code: 'E_EXPERIMENT' });
  writeFileSync(file, JSON.stringify(figureJson()));
  await expect(readFigure('other', root)).rejects.toMatchObject({
    code: 'E_EXPERIMENT',
    message: `${file}: id: expected "other", its folder's name, got "mini"`,
  });
  writeFileSync(file, JSON.stringify(figureJson({ id: 'other' })));
  await expect(readFigure('other', root)).rejects.toMatchObject({
    code: 'E_FILE',
    message: expect.stringContaining('tiny.json'),
  });
  await expect(figureIds(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'E_FILE' });
});
