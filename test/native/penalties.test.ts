// L1 penalties of a training epoch: what they push, and what is refused. The whole recipe with penalties stands in train.test.ts.
import { expect, test } from 'vitest';
import type { TensorData, TensorEntries } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  doubles,
  floats,
  golden,
  goldenGraph,
  networkOf,
  numbers,
  numbersOf,
  training,
  weightsOf,
} from './golden.js';

const images = async () => datasetOf(await golden('train', 'batch'), 5);

test('a penalty moves a parameter by -rate * coefficient * sign, and leaves 0 and all others where the loss takes them', async () => {
  const scale = [0.5, -0.25, 0, 2];
  const step = async (penalties: TensorEntries) => {
    const network = networkOf(
      goldenGraph('train'),
      new Map([
        ...(await golden('train', 'weights')),
        ['stem_bn.weight', doubles([4], (i) => scale[i] ?? 0)],
      ]),
      { dtype: 'float64' },
    );
    await core().train(network, await images(), training(20, [0.5], { penalties }), null, null);
    return weightsOf(network);
  };
  const coefficient = [0.25, 0.5, 1, 0.125];
  const [without, pushed] = [
    await step([]),
    await step([['stem_bn.weight', floats([4], (i) => coefficient[i] ?? 0)]]),
  ];
  for (const [name, tensor] of without) {
    const push = scale.map((x, i) => 0.5 * (coefficient[i] ?? 0) * Math.sign(x));
    const want = numbers(tensor).map((x, i) => x - (name === 'stem_bn.weight' ? (push[i] ?? 0) : 0));
    assertClose(numbersOf(pushed, name), want, { rtol: 0, atol: 1e-15, note: `${name}, float64` });
  }
});

test("penalties that do not fit the network are refused with the tensor's name, before anything is trained", async () => {
  const network = networkOf(goldenGraph('train'), await golden('train', 'weights'));
  const [before, data] = [weightsOf(network), await images()];
  const refusal = (penalties: unknown): Promise<string> =>
    failureOf(
      core().train(network, data, training(20, [0.1], { penalties: penalties as TensorEntries }), null, null),
    );
  const fine = floats([4], () => 1);
  const wrong: readonly (readonly (readonly [string, TensorData])[])[] = [
    [['stem_bn.scale', fine]],
    [['stem_bn.weight', floats([3], () => 1)]],
    [['stem_bn.weight', doubles([4], () => 1)]],
    [['stem_bn.weight', floats([4], () => Number.POSITIVE_INFINITY)]],
    [['stem_bn.running_mean', fine]],
    [
      ['stem_bn.weight', fine],
      ['stem_bn.weight', fine],
    ],
  ];
  for (const penalties of wrong) {
    const failure = await refusal(penalties);
    expect(failure).toMatch(/^E_WEIGHTS: /);
    expect(failure).toContain(penalties[0]?.[0]);
  }
  expect(weightsOf(network)).toEqual(before);
});

test('penalties that are no tensors are E_ARGUMENT', async () => {
  const network = networkOf(goldenGraph('train'));
  const data = await images();
  for (const penalties of ['none', [['stem_bn.weight', [1, 1, 1, 1]]], [[3, floats([4], () => 1)]]]) {
    const options = training(20, [0.1], { penalties: penalties as unknown as TensorEntries });
    expect(() => core().train(network, data, options, null, null)).toThrow(
      expect.objectContaining({ code: 'E_ARGUMENT' }),
    );
  }
});
