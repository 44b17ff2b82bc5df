// Hints about the order of axes: each is followed by NumPy, and then holds the images in the right order.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { guessedHint, layoutHint } from '../../lib/data/layouts.js';
import { onnxPython } from '../export/python.js';

const IMAGE = [3, 4, 5] as const;
const COUNT = 2;

/** Sizes by axis, and the order in which another program keeps them. */
const SIZES: Readonly<Record<string, number>> = { N: COUNT, C: 3, H: 4, W: 5 };
const ORDERS = ['NHWC', 'NWHC', 'NCWH', 'HWCN', 'CHWN'] as const;

const shapeOf = (order: string): readonly number[] => [...order].map((axis) => SIZES[axis] ?? 0);

/** The line of NumPy of a hint. */
function lineOf(hint: string | null): string {
  const line = /in NumPy(?: and PyTorch)?: (.*?)(?:, in PyTorch|$)/.exec(hint ?? '')?.[1];
  if (line === undefined) throw new Error(`no line in "${hint}"`);
  return line;
}

/** The line of PyTorch as NumPy has it. */
function torchLineOf(hint: string | null): string {
  const line = /in PyTorch: (.*)$/.exec(hint ?? '')?.[1] ?? '';
  return line.replace('.permute(', '.transpose(').replace('.contiguous()', '.copy()');
}

const python = onnxPython();

test.skipIf(python.reason !== '')(
  `each hint gives [N, C, H, W] when NumPy follows it${python.reason}`,
  () => {
    const cases = [
      ...ORDERS.map((order) => {
        const hint = layoutHint('x', shapeOf(order), IMAGE);
        return {
          lines: [lineOf(hint), torchLineOf(hint)],
          axes: [...order].map((axis) => 'NCHW'.indexOf(axis)),
        };
      }),
    ];
    const program = `
import json, numpy, sys
right = numpy.arange(${COUNT} * 60).reshape(${COUNT}, ${IMAGE.join(', ')})
for case in json.load(sys.stdin):
  for line in case["lines"]:
    made = eval(line, {"numpy": numpy, "x": right.transpose(case["axes"]).copy()})
    print(int(numpy.array_equal(made, right) and made.flags["C_CONTIGUOUS"]))
flat = eval(${JSON.stringify(lineOf(layoutHint('x', [COUNT, 60], IMAGE)))}, {"x": right.reshape(${COUNT}, -1)})
print(int(numpy.array_equal(flat, right)))
one = eval(${JSON.stringify(lineOf(layoutHint('x', IMAGE, IMAGE)))}, {"x": right[0]})
print(int(numpy.array_equal(one, right[:1])))
grey = eval(${JSON.stringify(lineOf(layoutHint('x', [COUNT, 4, 5], [1, 4, 5])))}, {"x": right[:, 0]})
print(int(numpy.array_equal(grey, right[:, :1])))
`;
    const said = execFileSync(python.command, ['-c', program], {
      env: python.env,
      input: JSON.stringify(cases),
    });
    expect(said.toString().trim().split('\n')).toEqual(
      Array.from({ length: 2 * ORDERS.length + 3 }, () => '1'),
    );
  },
);

test('images that lie as they should have no hint, square ones neither', () => {
  expect(layoutHint('x', [2, 3, 4, 5], [3, 4, 5])).toBeNull();
  expect(layoutHint('x', [2, 3, 4, 4], [3, 4, 4])).toBeNull();
});

test('sizes that no order explains have none', () => {
  expect(layoutHint('x', [2, 3, 9, 9], [3, 4, 5])).toBeNull();
  expect(layoutHint('x', [2, 3], [3, 4, 5])).toBeNull();
});

test('where nothing says what an image is like, few channels at the end are taken for channels', () => {
  expect(guessedHint('x', [9, 32, 24, 3])).toMatch(/lie as \[N, H, W, C\]/);
  expect(guessedHint('x', [9, 28, 28])).toMatch(/no axis of channels/);
  expect(guessedHint('x', [9, 3, 32, 32])).toBeNull();
  expect(guessedHint('x', [9, 16, 4, 3])).toBeNull();
});
