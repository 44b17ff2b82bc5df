import { expect, test } from 'vitest';
import { learningRates, type Schedule } from '../../lib/train/schedule.js';
import { assertClose, codeOf } from '../reference.js';

const OPTIONS = { learningRate: 0.1, epochs: 160, stepsPerEpoch: 3 };

test('constant gives one rate, a minibatch each', () => {
  const rates = learningRates({ kind: 'constant' }, OPTIONS);
  expect([...rates(0), ...rates(159)]).toEqual([0.1, 0.1, 0.1, 0.1, 0.1, 0.1]);
});

test('steps multiply the rate by the factor from each epoch of `at` on', () => {
  const rates = learningRates({ kind: 'steps', at: [80, 120], factor: 0.1 }, OPTIONS);
  for (const [epoch, want] of [
    [0, 0.1],
    [79, 0.1],
    [80, 0.01],
    [119, 0.01],
    [120, 0.001],
    [159, 0.001],
  ] as const) {
    assertClose(rates(epoch), [want, want, want], { rtol: 1e-12, atol: 0, note: `epoch ${epoch}` });
  }
});

test('cosine falls per minibatch from the full rate, through half of it, towards 0', () => {
  const rates = learningRates({ kind: 'cosine' }, { ...OPTIONS, epochs: 4, stepsPerEpoch: 2 });
  const all = [0, 1, 2, 3].flatMap((epoch) => [...rates(epoch)]);
  // cos of multiples of pi / 8, by hand
  const [a, b] = [Math.SQRT1_2, Math.sqrt(2 + Math.SQRT2) / 2];
  const c = Math.sqrt(2 - Math.SQRT2) / 2;
  const want = [1, b, a, c, 0, -c, -a, -b].map((x) => 0.05 * (1 + x));
  assertClose(all, want, { rtol: 1e-12, atol: 0 });
});

test('warm-up rises in equal steps to the full rate, and the cosine begins after it', () => {
  const rates = learningRates({ kind: 'cosine', warmup: 2 }, { ...OPTIONS, epochs: 4, stepsPerEpoch: 2 });
  assertClose([...rates(0), ...rates(1)], [0.025, 0.05, 0.075, 0.1], { rtol: 1e-12, atol: 0 });
  assertClose([...rates(2), ...rates(3)], [0.1, 0.05 * (1 + Math.SQRT1_2), 0.05, 0.05 * (1 - Math.SQRT1_2)], {
    rtol: 1e-12,
    atol: 0,
  });
});

test('wsd rises, stays, and falls on a line that would reach 0 at the end', () => {
  const rates = (schedule: Schedule): number[] => {
    const of = learningRates(schedule, { learningRate: 0.1, epochs: 4, stepsPerEpoch: 2 });
    return [0, 1, 2, 3].flatMap((epoch) => [...of(epoch)]);
  };
  const wants: readonly (readonly [Schedule, readonly number[]])[] = [
    // The first of the falling minibatches is still at the full rate: 4/4, 3/4, 2/4, 1/4.
    [{ kind: 'wsd', warmup: 1, decay: 2 }, [0.05, 0.1, 0.1, 0.1, 0.1, 0.075, 0.05, 0.025]],
    [{ kind: 'wsd', decay: 0 }, [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]],
    [{ kind: 'wsd', decay: 4 }, [0.1, 0.0875, 0.075, 0.0625, 0.05, 0.0375, 0.025, 0.0125]],
    // Half epochs are whole minibatches.
    [{ kind: 'wsd', warmup: 0.5, decay: 1.5 }, [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2 / 3, 0.1 / 3]],
  ];
  for (const [schedule, want] of wants) {
    // Rounding of a few products of doubles.
    assertClose(rates(schedule), want, { rtol: 1e-12, atol: 0, note: JSON.stringify(schedule) });
  }
});

test('what is no schedule is refused', () => {
  const refused = (schedule: Schedule, options: object): string =>
    codeOf(() => learningRates(schedule, { ...OPTIONS, ...options }));
  for (const options of [
    { learningRate: Number.NaN },
    { learningRate: -1 },
    { epochs: 0 },
    { epochs: 1.5 },
    { stepsPerEpoch: 0 },
  ]) {
    expect(refused({ kind: 'constant' }, options)).toBe('E_ARGUMENT');
  }
  expect(refused({ kind: 'cosine', warmup: 160 }, {})).toBe('E_ARGUMENT');
  expect(refused({ kind: 'cosine', warmup: -1 }, {})).toBe('E_ARGUMENT');
  for (const [warmup, decay] of [
    [0, 161],
    [0, -1],
    [160, 0],
    [-1, 2],
    [80, 80.5],
    [0, Number.NaN],
  ] as const)
    expect(refused({ kind: 'wsd', warmup, decay }, {}), `${warmup}, ${decay}`).toBe('E_ARGUMENT');
  expect(refused({ kind: 'wsd', warmup: 80, decay: 80 }, {})).toBe('nothing was thrown');
  expect(refused({ kind: 'linear' } as unknown as Schedule, {})).toBe('E_ARGUMENT');
  for (const epoch of [-1, 160, 0.5])
    expect(codeOf(() => learningRates({ kind: 'constant' }, OPTIONS)(epoch))).toBe('E_ARGUMENT');
});
