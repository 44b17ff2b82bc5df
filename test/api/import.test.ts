// import against PyTorch: narrow models of torchvision and timm, imported, give PyTorch's logits and accuracy (test/golden/imported.py).
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluate } from '../../lib/api/evaluate.js';
import { forward } from '../../lib/api/forward.js';
import { type ImportOptions, importWeights } from '../../lib/api/import.js';
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors.js';
import { lower } from '../../lib/graph/lower.js';
import { NAMES, nameMap, theirName } from '../../lib/models/names.js';
import { buildPreset } from '../../lib/models/zoo.js';
import type { TensorData } from '../../lib/native/face.js';
import { readGraph } from '../../lib/train/network.js';
import { floats } from '../native/golden.js';
import { codeOf } from '../reference.js';
import { temporaryFolder } from '../run/tiny.js';
import { MODELS, modelOf, stateOf, writeModel } from './imported.js';

test('there is a golden model of every library and preset that has a name map', () => {
  const known = Object.entries(NAMES).flatMap(([from, maps]) =>
    Object.keys(maps).map((preset) => `${from}-${preset}`),
  );
  expect([...MODELS].sort()).toEqual(known.sort());
});

for (const name of MODELS) {
  test(`${name}, imported, has PyTorch's logits, top-1, top-5 and loss on the same images`, async () => {
    const model = modelOf(name);
    const folder = temporaryFolder();
    const { weights, data, batch } = await writeModel(model, folder);
    const out = join(folder, 'net');
    const { preset, from, side } = model;
    const document = await importWeights({
      weights,
      from,
      preset,
      options: { ...model.options, resolution: side },
      out,
    });
    const counters = model.tensors.filter(([, shape]) => shape.length === 0).length;
    expect(document).toMatchObject({
      directory: out,
      tensors: model.tensors.length - counters,
      ignored: counters,
    });
    const graph = await readGraph(out);
    const shortSide = Math.round((side * 256) / 224);
    expect(graph.input).toEqual({ shape: [3, side, side], mean: model.mean, std: model.std, shortSide });
    const { logits } = await forward({
      network: out,
      batch,
      out: join(folder, 'logits.safetensors'),
      threads: 1,
    });
    const got = logits.flat();
    // float32 against float64, of fifty layers that round sums of up to a thousand products by 6e-8 each.
    const close = 1e-5 * Math.max(...model.logits.map(Math.abs));
    const off = model.logits.map((want, i) => Math.abs((got[i] ?? Number.NaN) - want));
    expect(got.length).toBe(model.logits.length);
    expect(Math.max(...off)).toBeLessThan(close);
    const { top1, top5, loss, images } = await evaluate({
      network: out,
      data: { file: data } as never,
      threads: 1,
    });
    expect(images).toBe(model.images);
    expect([top1, top5].map((value) => value.toFixed(9))).toEqual(
      [model.top1, model.top5].map((v) => v.toFixed(9)),
    );
    expect(Math.abs(loss - model.loss)).toBeLessThan(1e-5 * model.loss);
  });
}

test('every tensor of a preset has one name in each library, and no two the same', () => {
  for (const [from, maps] of Object.entries(NAMES)) {
    for (const preset of Object.keys(maps)) {
      const names = lower(buildPreset(preset)).instructions.flatMap(({ parameters }) =>
        parameters.map(({ name }) => theirName(nameMap(from, preset), name)),
      );
      expect(
        names.every((name) => name !== null && !/[{}]|undefined/.test(name)),
        `${from} ${preset}`,
      ).toBe(true);
      expect(new Set(names).size).toBe(names.length);
    }
  }
});

const V2 = modelOf('torchvision-mobilenet_v2');
async function attempt(
  change: (state: Map<string, TensorData>) => void,
  more: Partial<ImportOptions> = {},
): Promise<{ readonly code: string; readonly message: string; readonly isThere: boolean }> {
  const folder = temporaryFolder();
  const [weights, out] = [join(folder, 'state.safetensors'), join(folder, 'net')];
  const state = stateOf(V2);
  change(state);
  await writeSafetensors(weights, state);
  const options = { width: 0.35, resolution: 32 };
  const asked: ImportOptions = {
    weights,
    from: 'torchvision',
    preset: 'mobilenet_v2',
    options,
    out,
    ...more,
  };
  const failure: unknown = await importWeights(asked).then(
    () => null,
    (error: unknown) => error,
  );
  const { code = 'none', message = '' } = (failure ?? {}) as { code?: string; message?: string };
  return { code, message, isThere: existsSync(out) };
}

test('tensors that are missing, extra, misshapen or not finite are refused by name, and nothing is written', async () => {
  const cases: readonly (readonly [RegExp, (state: Map<string, TensorData>) => void])[] = [
    [/it has no features\.2\.conv\.3\.bias;/, (state) => state.delete('features.2.conv.3.bias')],
    [
      /no place is there for features\.99\.weight/,
      (state) =>
        state.set(
          'features.99.weight',
          floats([1], () => 0),
        ),
    ],
    [
      /of another shape are features\.1\.conv\.1\.weight float32 \[2, 2\] for float32 \[8, 16, 1, 1\]/,
      (state) =>
        state.set(
          'features.1.conv.1.weight',
          floats([2, 2], () => 0),
        ),
    ],
    [
      /of another shape are features\.0\.1\.bias int64/,
      (state) => state.set('features.0.1.bias', { dtype: 'int64', shape: [16], data: new Uint8Array(128) }),
    ],
    [
      /"classifier\.bias" holds a number that is not finite/,
      (state) =>
        state.set(
          'classifier.1.bias',
          floats([7], () => Number.NaN),
        ),
    ],
    [/it has no .* and \d+ more/, (state) => state.clear()],
  ];
  for (const [message, change] of cases) {
    const found = await attempt(change);
    expect(found).toMatchObject({ code: 'E_WEIGHTS', isThere: false });
    expect(found.message).toMatch(message);
  }
});

test('another width, library, preset or shortcut is refused', async () => {
  const nothing = (): void => undefined;
  expect((await attempt(nothing, { options: {} })).message).toMatch(
    /of another shape are features\.0\.0\.weight/,
  );
  expect((await attempt(nothing, { from: 'timm' })).message).toMatch(/it has no conv_stem\.weight/);
  const learned = { width: 0.35, resolution: 32, shortcut: 'conv' };
  expect((await attempt(nothing, { options: learned })).message).toMatch(
    /torchvision has nothing for b3_shortcut\.weight/,
  );
  expect(await attempt(nothing, { preset: 'mobilenet_v1' })).toMatchObject({
    code: 'E_PRESET',
    message: expect.stringMatching(/there are names for mobilenet_v2, resnet18, resnet50/),
  });
  expect(await attempt(nothing, { mean: [0.5] })).toMatchObject({ code: 'E_ARGUMENT', isThere: false });
  expect(await attempt(nothing, { std: [1, 0, 1] })).toMatchObject({ code: 'E_ARGUMENT' });
  expect(codeOf(() => nameMap('constructor', 'mobilenet_v2'))).toBe('E_PRESET');
});

test('classes follow from the weights, mean and std are taken as given', async () => {
  const folder = temporaryFolder();
  const { weights } = await writeModel(V2, folder);
  const statistics = { mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6] };
  const asked = { weights, from: 'torchvision', preset: 'mobilenet_v2', out: join(folder, 'net') } as const;
  await importWeights({ ...asked, options: { width: 0.35 }, ...statistics });
  const graph = await readGraph(asked.out);
  expect(graph.input).toEqual({ shape: [3, 224, 224], ...statistics, shortSide: 256 });
  expect(graph.nodes.at(-1)?.out).toBe(7);
  expect(graph).not.toHaveProperty('classes');
});

test('class names and the shorter side are taken as given, and refused where they do not fit', async () => {
  const folder = temporaryFolder();
  const { weights } = await writeModel(V2, folder);
  const asked = { weights, from: 'torchvision', preset: 'mobilenet_v2', out: join(folder, 'net') } as const;
  const options = { width: 0.35 };
  const classNames = [...'abcdefg'];
  await importWeights({ ...asked, options, shortSide: 232, classNames });
  const { input, classes } = await readGraph(asked.out);
  expect([input.shortSide, classes]).toEqual([232, classNames]);
  const nothing = (): void => {};
  for (const [more, code] of [
    [{ shortSide: 31 }, 'E_GRAPH_FORMAT'],
    [{ classNames: classNames.slice(1) }, 'E_GRAPH_OUTPUT'],
    [{ classNames: [...'abcdeff'] }, 'E_GRAPH_FORMAT'],
    [{ classNames: [...'abcdef', ''] }, 'E_GRAPH_FORMAT'],
  ] as const)
    expect(await attempt(nothing, more), code).toMatchObject({ code, isThere: false });
});

/** The state of a model in another type of numbers: bytes of each value, as the file has them. */
function inType(
  state: ReadonlyMap<string, TensorData>,
  dtype: string,
  bytesOf: (x: number) => Buffer,
): Buffer {
  let at = 0;
  const chunks: Buffer[] = [];
  const header: Record<string, unknown> = {};
  for (const [name, { dtype: own, shape, data }] of state) {
    const isFloat = own === 'float32';
    const bytes = isFloat
      ? Buffer.concat([...new Float32Array(data.slice().buffer)].map(bytesOf))
      : Buffer.from(data);
    header[name] = { dtype: isFloat ? dtype : 'I64', shape, data_offsets: [at, at + bytes.length] };
    chunks.push(bytes);
    at += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...chunks]);
}

const double = (x: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(x);
  return bytes;
};
/** The upper half of a float32's bits: bfloat16, cut off. */
const bfloat = (x: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(x);
  return bytes.subarray(2);
};

test.each([
  ['F64', double, (x: number) => x],
  ['BF16', bfloat, (x: number) => Buffer.concat([Buffer.alloc(2), bfloat(x)]).readFloatLE()],
] as const)('weights of type %s are imported as float32', async (dtype, bytesOf, value) => {
  const folder = temporaryFolder();
  const [weights, out] = [join(folder, 'state.safetensors'), join(folder, 'net')];
  const state = stateOf(V2);
  writeFileSync(weights, inType(state, dtype, bytesOf));
  const options = { width: 0.35, resolution: 32 };
  await importWeights({ weights, from: 'torchvision', preset: 'mobilenet_v2', options, out });
  const made = (await readSafetensors(join(out, 'weights.safetensors'))).get('classifier.weight');
  const given = state.get('classifier.1.weight');
  const floatsIn = (tensor: TensorData | undefined): number[] => [
    ...new Float32Array(tensor?.data.slice().buffer ?? new ArrayBuffer(0)),
  ];
  expect(made?.dtype).toBe('float32');
  expect(floatsIn(made)).toEqual(floatsIn(given).map(value));
});

test('a float64 weight beyond float32 is refused by name', async () => {
  const folder = temporaryFolder();
  const [weights, out] = [join(folder, 'state.safetensors'), join(folder, 'net')];
  writeFileSync(
    weights,
    inType(stateOf(V2), 'F64', (x) => double(x * 1e300)),
  );
  const options = { width: 0.35, resolution: 32 };
  await expect(
    importWeights({ weights, from: 'torchvision', preset: 'mobilenet_v2', options, out }),
  ).rejects.toMatchObject({
    code: 'E_WEIGHTS',
    message: expect.stringMatching(/features\.0\.0\.weight.*float32 holds/),
  });
  expect(existsSync(out)).toBe(false);
});

test('prefixes of wrappers are left out with a note, and classes are told all the same', async () => {
  const folder = temporaryFolder();
  const [weights, out] = [join(folder, 'state.safetensors'), join(folder, 'net')];
  await writeSafetensors(weights, new Map([...stateOf(V2)].map(([name, t]) => [`module.${name}`, t])));
  const notes: string[] = [];
  const onEvent = (event: { readonly type: string; readonly text?: string }): void => {
    if (event.type === 'note') notes.push(event.text ?? '');
  };
  const options = { width: 0.35, resolution: 32 };
  await importWeights({ weights, from: 'torchvision', preset: 'mobilenet_v2', options, out }, { onEvent });
  expect(notes).toEqual([`${weights}: the prefix "module." of names is left out`]);
  expect((await readGraph(out)).nodes.at(-1)?.out).toBe(7);
});

test('weights of one channel ask for mean and std by their flags, and are imported with them', async () => {
  const grey = (state: Map<string, TensorData>): void => {
    const stem = state.get('features.0.0.weight');
    const shape = [stem?.shape[0] ?? 0, 1, 3, 3];
    state.set(
      'features.0.0.weight',
      floats(shape, () => 0.1),
    );
  };
  const refused = await attempt(grey);
  expect(refused).toMatchObject({ code: 'E_ARGUMENT', isThere: false });
  expect(refused.message).toMatch(
    /of 1 channel, .*torchvision.* are of 3 .*; give --mean and --std, 1 number each/,
  );
  expect(await attempt(grey, { mean: [0.4] })).toMatchObject({ code: 'E_ARGUMENT' });
  expect(await attempt(grey, { mean: [0.4], std: [0.2] })).toMatchObject({ code: 'none', isThere: true });
});
