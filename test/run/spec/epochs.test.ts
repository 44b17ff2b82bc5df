import { expect, test } from 'vitest';
import { epochsBehind, epochsOf, scheduleOf, stretched, totalEpochs } from '../../../lib/run/spec/epochs.js';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import { learningRates } from '../../../lib/train/schedule.js';
import { codeOf, messageOf } from '../../reference.js';

const LEAST = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10' } };

test('one number holds for every stage, the last of a list for all that follow', () => {
  expect([0, 1, 7].map((stage) => epochsOf({ epochs: 3 }, stage))).toEqual([3, 3, 3]);
  expect([0, 1, 2, 7].map((stage) => epochsOf({ epochs: [5, 0, 9] }, stage))).toEqual([5, 0, 9, 9]);
  expect(totalEpochs({ epochs: 3 }, 4)).toBe(12);
  expect(totalEpochs({ epochs: [5, 0, 9] }, 4)).toBe(23);
});

test('a list of epochs is checked entry by entry, and against the warm-up', () => {
  const given = (epochs: unknown, warmup = 0): unknown => ({
    ...LEAST,
    fit: { epochs, schedule: { kind: 'cosine', warmup } },
  });
  expect(parseExperiment(given([4, 0, 9], 2)).fit.epochs).toEqual([4, 0, 9]);
  expect(messageOf(() => parseExperiment(given([4, 2], 2)))).toContain('fit.schedule.warmup');
  expect(messageOf(() => parseExperiment(given([])))).toContain('fit.epochs');
  expect(messageOf(() => parseExperiment(given([1, 2.5])))).toContain('fit.epochs');
});

test('a recipe over other epochs keeps its steps at the same shares of the stage that it is taken from', () => {
  const { fit } = parseExperiment({ ...LEAST, fit: { epochs: [160, 40] } });
  expect(stretched(fit, 0, 480)).toMatchObject({ epochs: 480, schedule: { at: [240, 360], factor: 0.1 } });
  expect(stretched(fit, 0, 80)).toMatchObject({ epochs: 80, schedule: { at: [40, 60] } });
  expect(stretched(fit, 3, 80)).toMatchObject({ epochs: 80, schedule: { at: [160, 240] } });
});

test('a warm-up is never longer than in the recipe, and shorter where the epochs are fewer', () => {
  const schedule = { kind: 'cosine', warmup: 2 };
  const { fit } = parseExperiment({ ...LEAST, fit: { epochs: 8, schedule } });
  expect(stretched(fit, 0, 24)).toMatchObject({ epochs: 24, schedule });
  expect(stretched(fit, 0, 2)).toMatchObject({ epochs: 2, schedule: { kind: 'cosine', warmup: 0.5 } });
});

test('the decay of wsd keeps its share of the epochs, and its warm-up grows no longer', () => {
  const recipe = (epochs: number, warmup: number, decay: number) =>
    parseExperiment({ ...LEAST, fit: { epochs, schedule: { kind: 'wsd', warmup, decay } } }).fit;
  expect(stretched(recipe(8, 2, 4), 0, 24)).toMatchObject({
    epochs: 24,
    schedule: { kind: 'wsd', warmup: 2, decay: 12 },
  });
  expect(stretched(recipe(8, 2, 4), 0, 2)).toMatchObject({ epochs: 2, schedule: { warmup: 0.5, decay: 1 } });
  // Where the two fill a stage they fill every other, whatever is rounded.
  for (let epochs = 1; epochs <= 60; epochs += 1) {
    for (const warmup of [0, 1, 2, 5].filter((one) => one < epochs)) {
      for (const total of [1, 3, 5, 7, 9, 10, 11, 100]) {
        const whole = stretched(recipe(epochs, warmup, epochs - warmup), 0, total);
        const options = { learningRate: 1, epochs: total, stepsPerEpoch: 3 };
        const note = `${epochs}, ${warmup}, ${total}`;
        expect(
          codeOf(() => learningRates(scheduleOf(whole, 0), options)),
          note,
        ).toBe('nothing was thrown');
        expect(parseExperiment({ ...LEAST, fit: whole }).fit, note).toEqual(whole);
      }
    }
  }
});

test('with finishing, the epochs behind a network are those of its stages and one finishing', () => {
  const every = { decay: null, stages: 'every' } as const;
  const fit = { epochs: [5, 0, 9], finish: { ...every, epochs: 6 } };
  expect([1, 2, 3, 4].map((stages) => epochsBehind(fit, stages))).toEqual([11, 11, 20, 29]);
  expect(epochsBehind({ epochs: 3, finish: { ...every, epochs: 0 } }, 4)).toBe(12);
  const list = { ...fit, finish: { ...every, epochs: [1, 0, 7] } };
  expect([1, 2, 3, 4].map((stages) => epochsBehind(list, stages))).toEqual([6, 5, 21, 30]);
  const last = { ...fit, finish: { ...fit.finish, stages: 'last' } } as const;
  expect([1, 2, 3].map((stages) => epochsBehind(last, stages, false))).toEqual([5, 5, 14]);
  expect(epochsBehind(last, 3, true)).toBe(20);
});

test('with finishing, a recipe over other epochs is one training whose rate falls over the share that finishing has', () => {
  const given = { epochs: [3, 0], finish: { epochs: 6 }, schedule: { kind: 'constant' } };
  const { fit } = parseExperiment({ ...LEAST, fit: given });
  const wsd = (decay: number) => ({ kind: 'wsd', warmup: 0, decay });
  const none = { epochs: 0, decay: null, stages: 'every' };
  expect(stretched(fit, 0, 9)).toEqual({ ...fit, epochs: 9, schedule: wsd(6), finish: none });
  expect(stretched(fit, 0, 12)).toMatchObject({ epochs: 12, schedule: wsd(8) });
  expect(stretched(fit, 1, 12)).toMatchObject({ epochs: 12, schedule: wsd(12) });
  expect(stretched(fit, 0, 0)).toMatchObject({ epochs: 0, schedule: wsd(0) });
});

test('with a decay of its own, the rate of such a training falls over the share in which it falls there', () => {
  const finish = { epochs: 19, decay: 6, stages: 'last' };
  const { fit } = parseExperiment({ ...LEAST, fit: { epochs: 3, finish, schedule: { kind: 'constant' } } });
  // 22 epochs of stage and finishing, 6 of them falling: of 44 it is 12.
  expect(stretched(fit, 4, 44)).toMatchObject({ epochs: 44, schedule: { kind: 'wsd', decay: 12 } });
  expect(stretched(fit, 0, 22)).toMatchObject({ epochs: 22, schedule: { kind: 'wsd', decay: 6 } });
});

test('of lists, a recipe over other epochs is that of its stage', () => {
  const [constant, wsd] = [{ kind: 'constant' }, { kind: 'wsd', decay: 6 }];
  const given = { epochs: [1, 1, 20], schedule: [constant, constant, wsd] };
  const { fit } = parseExperiment({ ...LEAST, fit: given });
  expect(stretched(fit, 1, 5).schedule).toEqual({ kind: 'constant' });
  expect(stretched(fit, 2, 40)).toMatchObject({ epochs: 40, schedule: { kind: 'wsd', decay: 12 } });
  expect(stretched(fit, 7, 10)).toMatchObject({ epochs: 10, schedule: { kind: 'wsd', decay: 3 } });
  const list = { epochs: 2, schedule: constant, finish: { epochs: [0, 4] } };
  const finishing = parseExperiment({ ...LEAST, fit: list }).fit;
  expect(stretched(finishing, 0, 9)).toMatchObject({ schedule: constant, finish: { epochs: 0 } });
  expect(stretched(finishing, 3, 9)).toMatchObject({ schedule: { kind: 'wsd', decay: 6 } });
});

test.each([
  [
    { finish: { epochs: 2 } },
    'fit.finish.epochs: expected fit.schedule.kind constant: finishing is where the rate falls, got 2',
  ],
  [{ finish: { epochs: 2 }, schedule: { kind: 'cosine' } }, 'fit.finish.epochs: expected fit.schedule.kind'],
  [{ finish: { epochs: 2 }, schedule: { kind: 'wsd', decay: 1 } }, 'fit.finish.epochs: expected'],
  [{ finish: { epochs: -1 }, schedule: { kind: 'constant' } }, 'fit.finish.epochs: expected'],
  [{ finish: { epochs: 1.5 }, schedule: { kind: 'constant' } }, 'fit.finish.epochs: expected a whole number'],
  [{ finish: { epoch: 1 } }, 'fit.finish.epoch: unknown field; did you mean "epochs"'],
  [{ finish: { epochs: [] } }, 'fit.finish.epochs: expected a list >= 1 items'],
  [{ finish: { epochs: [0, -1] } }, 'fit.finish.epochs.1: expected number >= 0, got -1'],
  [{ finish: { stages: 'lst' } }, 'fit.finish.stages: expected one of every, last, got "lst"; did you mean'],
  [
    { finish: { epochs: [0, 4], decay: 5 }, schedule: { kind: 'constant' } },
    'fit.finish.decay: expected no more epochs than fit.finish.epochs, got 5',
  ],
  [
    {
      finish: { epochs: [0, 4] },
      schedule: [{ kind: 'constant' }, { kind: 'constant' }, { kind: 'cosine' }],
    },
    'fit.finish.epochs.1: expected fit.schedule.kind constant',
  ],
  [{ schedule: [] }, 'fit.schedule: expected a list >= 1 items, got []'],
  [{ schedule: 3 }, 'fit.schedule: expected object or a list, got 3'],
  [
    { schedule: [{ kind: 'constant' }, { kind: 'wsd', decays: 1 }] },
    'fit.schedule.1.decays: unknown field; did you mean "decay"',
  ],
  [
    { schedule: [{ kind: 'cosin' }] },
    'fit.schedule.0.kind: expected one of constant, steps, cosine, wsd, got',
  ],
  [
    { epochs: [1, 1, 20], schedule: { kind: 'wsd', decay: 6 } },
    'fit.schedule takes a list, one a stage, as [{ "kind": "constant" }, { "kind": "wsd", "decay": 6 }]), got 6',
  ],
  [
    { epochs: [1, 8], schedule: [{ kind: 'constant' }, { kind: 'wsd', warmup: 2, decay: 7 }] },
    'fit.schedule.1.decay: expected warm-up and decay to take no more epochs than fit.epochs',
  ],
  [
    {
      epochs: 4,
      schedule: [
        { kind: 'cosine', warmup: 3 },
        { kind: 'cosine', warmup: 4 },
      ],
    },
    'fit.schedule.1.warmup: expected fewer epochs of warm-up than fit.epochs, got 4',
  ],
  [{ epochs: 4, schedule: { kind: 'wsd', decay: 5 } }, 'fit.schedule.decay: expected warm-up and decay'],
  [{ epochs: 4, schedule: { kind: 'wsd', warmup: 2, decay: 2.5 } }, 'fit.schedule.decay: expected'],
  [{ epochs: [8, 0, 4], schedule: { kind: 'wsd', decay: 5 } }, 'fit.schedule.decay: expected'],
  [{ epochs: 4, schedule: { kind: 'wsd', decay: -1 } }, 'fit.schedule.decay: expected'],
  [{ epochs: 4, schedule: { kind: 'wsd', warmup: 4 } }, 'fit.schedule.warmup: expected'],
])('fit %j is refused, naming the field', (fit, message) => {
  expect(messageOf(() => parseExperiment({ ...LEAST, fit }))).toContain(message);
});
