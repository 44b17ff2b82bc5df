// The pictures of docs/images are those that scripts/pictures.mjs draws, and the toy that they are drawn from keeps its promises.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';

interface Neuron {
  readonly weights: readonly number[];
  readonly matrix: readonly (readonly [number, number])[];
  readonly low: { readonly value: number; readonly vector: readonly number[] };
  readonly high: { readonly value: number };
  readonly before: number;
}

// Plain JavaScript, without types of its own.
const { PICTURES, FOLDER }: { PICTURES: Record<string, () => string | Promise<string>>; FOLDER: string } =
  await import(join(ROOT, 'scripts', 'pictures.mjs'));
const toy: {
  drawnNeuron: () => Neuron;
  splitLoss: (neuron: Neuron, displacement: readonly number[]) => number;
} = await import(join(ROOT, 'scripts', 'pictures', 'toy.mjs'));
const { twelveWeights }: { twelveWeights: () => { values: number[]; traces: number[][] } } = await import(
  join(ROOT, 'scripts', 'pictures', 'descent.mjs')
);

const NUMBER = /-?\d+(?:\.\d+)?/g;

test.each(Object.keys(PICTURES))('%s is what the script draws', async (name) => {
  const [kept, drawn] = [readFileSync(join(FOLDER, name), 'utf8'), (await PICTURES[name]?.()) ?? ''];
  expect(drawn.replace(NUMBER, '#')).toBe(kept.replace(NUMBER, '#'));
  const numbers = (text: string): number[] => (text.match(NUMBER) ?? []).map(Number);
  const wanted = numbers(kept);
  // A tenth of a pixel: the last digit of a coordinate may round either way on another machine.
  const off = numbers(drawn).filter((value, i) => Math.abs(value - (wanted[i] ?? Number.NaN)) > 0.11);
  expect(off).toEqual([]);
});

test('every picture is drawn by the script, and shown on a page', () => {
  const there = readdirSync(FOLDER).filter((name) => name.endsWith('.svg'));
  expect(there.sort()).toEqual(Object.keys(PICTURES).sort());
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const text = pages.map((name) => readFileSync(join(ROOT, 'docs', name), 'utf8')).join('\n');
  expect(there.filter((name) => !text.includes(`](images/${name})`))).toEqual([]);
});

test('the drawn splitting matrix is half the second difference of the loss of the offspring', () => {
  const neuron = toy.drawnNeuron();
  const [[a, b], [, d]] = neuron.matrix as [[number, number], [number, number]];
  const e = 1e-3;
  for (const [x, y] of [
    [1, 0],
    [0, 1],
    [0.6, 0.8],
    [-0.8, 0.6],
  ] as const) {
    const difference = toy.splitLoss(neuron, [e * x, e * y]) - neuron.before;
    const form = a * x * x + 2 * b * x * y + d * y * y;
    // Of fourth order in e, and rounding of 1e-16 over e²: together below 1e-6.
    expect(Math.abs((2 * difference) / e ** 2 - form)).toBeLessThan(1e-6);
  }
  // The two roots of the characteristic polynomial.
  const root = Math.sqrt((a - d) ** 2 + 4 * b * b);
  expect(neuron.low.value).toBeCloseTo((a + d - root) / 2, 12);
  expect(neuron.high.value).toBeCloseTo((a + d + root) / 2, 12);
});

test('the drawn descents end within 1 % of the smallest eigenvalue, and never below it', () => {
  const { values, traces } = twelveWeights();
  const [lowest = 0] = values;
  for (const trace of traces) {
    expect(Math.min(...trace)).toBeGreaterThanOrEqual(lowest - 1e-12);
    expect(trace.at(-1)).toBeLessThan(0.99 * lowest);
  }
});
