// Colours of curves: contrast with the ground by WCAG 2, and apart for the colour-blind by Machado's simulation (2009).
import { describe, expect, test } from 'vitest';
import { curveColour, curveShape, DARK_CURVES, LIGHT_CURVES } from '../../lib/report/page/palette.js';

type Three = readonly [number, number, number];

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
const VISIONS: Readonly<Record<string, readonly [Three, Three, Three]>> = {
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function linear(hex: string): Three {
  const channel = (at: number): number => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

function times([a, b, c]: readonly [Three, Three, Three], v: Three): Three {
  const dot = (row: Three): number => row[0] * v[0] + row[1] * v[1] + row[2] * v[2];
  return [dot(a), dot(b), dot(c)];
}

const XYZ: readonly [Three, Three, Three] = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];

function lab(rgb: Three): Three {
  const clipped = rgb.map((value) => Math.min(1, Math.max(0, value))) as unknown as Three;
  const [x, y, z] = times(XYZ, clipped);
  const f = (value: number, white: number): number => {
    const t = value / white;
    return t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116;
  };
  const [fx, fy, fz] = [f(x, 0.95047), f(y, 1), f(z, 1.08883)];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

function contrast(a: string, b: string): number {
  const [x, y] = [times(XYZ, linear(a))[1], times(XYZ, linear(b))[1]];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

describe.each([
  ['light', LIGHT_CURVES, '#ffffff'],
  ['dark', DARK_CURVES, '#191d23'],
] as const)('in the %s scheme', (_name, colours, ground) => {
  test('every colour has a contrast of 3 with the ground', () => {
    for (const colour of colours) expect(contrast(colour, ground), colour).toBeGreaterThanOrEqual(3);
  });

  test.each(Object.keys(VISIONS))('any two colours are apart in %s vision', (vision) => {
    const matrix = VISIONS[vision];
    if (matrix === undefined) throw new Error(vision);
    for (const [at, a] of colours.entries()) {
      for (const b of colours.slice(at + 1)) {
        const [p, q] = [lab(times(matrix, linear(a))), lab(times(matrix, linear(b)))];
        // CIE 1976: about 2.3 is just noticeable; 12 is plain to see in points of a few pixels.
        expect(Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]), `${a} ${b}`).toBeGreaterThan(12);
      }
    }
  });
});

test('the first 64 curves all look different, and a drawing alone has light colours', () => {
  const seen = Array.from({ length: 64 }, (_, at) => `${curveColour(at)} ${curveShape(at)}`);
  expect(new Set(seen).size).toBe(64);
  expect(curveColour(0)).toBe(`var(--k1, ${LIGHT_CURVES[0]})`);
});
