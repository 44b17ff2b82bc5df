import { expect, test } from 'vitest';
import { shapes } from '../../lib/graph/check.js';
import { costOfGraph, macs, params } from '../../lib/graph/cost.js';
import { lower } from '../../lib/graph/lower.js';
import { widths } from '../../lib/graph/print.js';
import { buildPreset, divisible, type PresetOptions, ZOO } from '../../lib/models/zoo.js';
import { codeOf, messageOf } from '../reference.js';

test('MACs are the published ones, exactly', () => {
  // From the papers of the networks; the two seeds of V2 are counted from the authors' width list.
  const published: readonly (readonly [string, PresetOptions, number])[] = [
    ['mobilenet_v1', {}, 568_740_352],
    ['mobilenet_v1', { width: 0.75 }, 325_400_448],
    ['mobilenet_v1', { width: 0.5 }, 149_497_088],
    ['mobilenet_v1', { width: 0.3 }, 59_213_644],
    ['mobilenet_v2', {}, 300_774_272],
    ['mobilenet_v2', { width: 0.75 }, 209_069_792],
    ['mobilenet_v2', { width: 0.5 }, 97_131_840],
    ['mobilenet_v2', { width: 0.3 }, 37_704_317],
    ['mobilenet_v2', { width: 0.3, shortcut: 'conv' }, 39_113_557],
    ['mobilenet_v2', { width: 0.3, round: 8 }, 56_431_264],
    ['mobilenet_cifar10', {}, 269_136],
    ['resnet18', {}, 1_814_073_344],
    ['resnet50', {}, 4_089_184_256],
  ];
  for (const [name, options, want] of published)
    expect(macs(buildPreset(name, options)), `${name} ${JSON.stringify(options)}`).toBe(want);
});

test('parameters are those of torchvision and of the MobileNetV1 paper', () => {
  expect(params(buildPreset('mobilenet_v2'))).toBe(3_504_872);
  expect(params(buildPreset('mobilenet_v1'))).toBe(4_231_976);
});

test("the CIFAR-100 seed has the widths of the authors' code", () => {
  expect(Object.values(widths(buildPreset('mobilenet_cifar100')))).toEqual([
    8, 8, 8, 8, 16, 16, 24, 24, 24, 24, 24, 24, 32, 32, 100,
  ]);
  expect(shapes(buildPreset('mobilenet_cifar100')).get('b13_pw')?.size).toEqual([2, 2]);
  expect(Object.values(widths(buildPreset('mobilenet_cifar100', { width: 2 }))).slice(0, 5)).toEqual([
    16, 16, 16, 16, 32,
  ]);
});

test('mobilenet_cifar10 halves its resolution three times at even distances, then adds one block', () => {
  const strides = (blocks: number): unknown[] =>
    buildPreset('mobilenet_cifar10', { blocks })
      .nodes.filter(({ op }) => op === 'depthwise_conv2d')
      .map(({ stride }) => stride);
  expect(strides(3)).toEqual([2, 2, 2, 1]);
  expect(strides(6)).toEqual([1, 2, 1, 2, 1, 2, 1]);
  // halvings where floor(3 i / 4) steps: i = 2, 3, 4
  expect(strides(4)).toEqual([1, 2, 2, 2, 1]);
  for (const [channels, resolution, end] of [
    [3, 32, 4],
    [1, 28, 4],
    [1, 32, 4],
    [3, 28, 4],
  ] as const) {
    const values = shapes(buildPreset('mobilenet_cifar10', { channels, resolution }));
    expect(values.get('b4_pw')?.size).toEqual([end, end]);
  }
});

test('node ids and fields follow one scheme', () => {
  const ids = buildPreset('mobilenet_cifar10', { blocks: 3 }).nodes.map(({ id }) => id);
  expect(ids.slice(0, 9)).toEqual([
    'stem',
    'stem_bn',
    'stem_act',
    'b1_dw',
    'b1_dw_bn',
    'b1_dw_act',
    'b1_pw',
    'b1_pw_bn',
    'b1_pw_act',
  ]);
  expect(ids.slice(-2)).toEqual(['pool', 'classifier']);
  const v2 = buildPreset('mobilenet_v2', { dropout: 0.2, shortcut: 'conv' }).nodes.map(({ id }) => id);
  for (const id of [
    'b1_dw',
    'b1_project_bn',
    'b2_expand_act',
    'b3_shortcut',
    'b3_add',
    'head_act',
    'dropout',
  ])
    expect(v2).toContain(id);
  expect(v2).not.toContain('b1_expand');
  expect(v2).not.toContain('b2_add');
});

test('activations are relu, relu6 for MobileNetV2, or the one asked for; linear bottlenecks have none', () => {
  const kinds = (name: string, options?: PresetOptions) =>
    new Set(buildPreset(name, options).nodes.flatMap(({ kind }) => kind ?? []));
  expect(kinds('mobilenet_v1')).toEqual(new Set(['relu']));
  expect(kinds('mobilenet_v2')).toEqual(new Set(['relu6']));
  expect(kinds('mobilenet_cifar100', { activation: 'swish' })).toEqual(new Set(['swish']));
  const chains = lower(buildPreset('mobilenet_v2')).chains.filter(({ id }) => id.endsWith('_project'));
  expect(chains.every(({ batchNorm, activation }) => batchNorm > 0 && activation === -1)).toBe(true);
});

test('options reach the graph: classes, name, resolution', () => {
  const graph = buildPreset('mobilenet_v2', { classes: 7, name: 'mine', resolution: 96, channels: 1 });
  expect([graph.name, graph.input.shape, widths(graph).classifier]).toEqual(['mine', [1, 96, 96], 7]);
  expect(costOfGraph(buildPreset('mobilenet_v1', { resolution: 112 }), 'params')).toBe(
    params(buildPreset('mobilenet_v1')),
  );
});

test('a width is rounded to the nearest multiple, but never below nine tenths', () => {
  const cases = [
    [9.6, 8, 16],
    [8.8, 8, 8],
    [12, 8, 16],
    [11, 8, 16],
    [19.2, 8, 24],
    [38.4, 8, 40],
    [3, 8, 8],
    [9.6, 1, 10],
    [9.4, 1, 9],
    [24, 8, 24],
  ] as const;
  for (const [value, divisor, want] of cases) {
    // By search: the multiple at the least distance (upwards on a tie), one more where it is below 0.9 of the value.
    const multiples = Array.from({ length: 50 }, (_, i) => (i + 1) * divisor);
    const near = multiples.reduce((best, m) => (Math.abs(m - value) <= Math.abs(best - value) ? m : best));
    expect(divisible(value, divisor)).toBe(near < 0.9 * value ? near + divisor : near);
    expect(divisible(value, divisor), `${value} ${divisor}`).toBe(want);
  }
});

test('unknown presets and options are refused, naming the nearest', () => {
  const options = (given: object) => () => buildPreset('mobilenet_cifar10', given);
  expect(messageOf(() => buildPreset('mobilenet_cifar11'))).toMatch(/did you mean "mobilenet_cifar10"/);
  expect(messageOf(options({ block: 3 }))).toMatch(/"block"; did you mean "blocks"/);
  expect(messageOf(() => buildPreset('mobilenet_v2', { shortcut: 'cnov' }))).toMatch(/did you mean "conv"/);
  for (const act of [
    () => buildPreset('toString'),
    () => buildPreset('__proto__'),
    options({ blocks: 0 }),
    options({ blocks: 1e9 }),
    options({ width: 0.5 }),
    options({ width: '8' }),
    options({ classes: 1 }),
    options({ activation: 'rule' }),
    options({ shortcut: 'conv' }),
    options({ name: 3 }),
    options({ resolution: Number.NaN }),
    options(JSON.parse('{"__proto__": 1}')),
    () => buildPreset('mobilenet_v1', { width: 0 }),
    () => buildPreset('mobilenet_v2', { dropout: 1 }),
    () => buildPreset('resnet18', { stem: 'tiny' }),
    () => buildPreset('resnet50', { shortcut: 'conv' }),
  ]) {
    expect(codeOf(act)).toBe('E_PRESET');
  }
  expect(buildPreset('mobilenet_v1', { width: undefined } as object)).toEqual(buildPreset('mobilenet_v1'));
});

test('every preset has a summary and builds at its defaults', () => {
  for (const [name, { summary }] of Object.entries(ZOO)) {
    expect(summary.length).toBeGreaterThan(10);
    expect(buildPreset(name).name).toBe(name);
  }
});
