import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formerPlaceNotes } from '../../../lib/run/spec/former-places.js';
import { parseExperiment, readExperiment, withDefaults } from '../../../lib/run/spec/spec.js';
import { messageOf } from '../../reference.js';
import { temporaryFolder } from '../tiny.js';

/** An experiment with every section. */
const EXAMPLE = {
  name: 'cifar10-k3-energy-aware',
  network: { preset: 'mobilenet_cifar10', blocks: 3, width: 8 },
  data: { name: 'cifar10', root: 'DIR', augment: ['flip', 'crop'] },
  fit: {
    epochs: 160,
    batch: 256,
    labelSmoothing: 0,
    optimizer: { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: false, weightDecay: 1e-4 },
    schedule: { kind: 'steps', at: [80, 120], factor: 0.1 },
  },
  splitting: {
    strategy: 'energy-aware',
    method: 'rayleigh',
    epochs: 10,
    batch: 64,
    learningRate: 0.001,
    epsilon: 0.01,
    growthRatio: 0.5,
    cost: 'macs',
  },
  stop: { stages: 8 },
  seed: 0,
  output: 'runs/cifar10-k3-energy-aware',
};
const LEAST = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10', root: 'DIR' } };

test('the example of the contract is what the defaults give, the paper being their source', () => {
  const spec = parseExperiment(EXAMPLE);
  const short = parseExperiment({
    ...LEAST,
    name: EXAMPLE.name,
    network: EXAMPLE.network,
    stop: { stages: 8 },
  });
  expect(short).toEqual(spec);
  // The paper names a rate; the other constants are its authors' code.
  expect(spec.splitting.rmsprop).toEqual({
    alpha: 0.9,
    momentum: 0.9,
    epsilon: 1e-8,
    decayFactor: 1,
    decayEvery: 2,
  });
});

test('a checked experiment written out and read again is the same experiment', () => {
  const spec = parseExperiment(EXAMPLE);
  expect(parseExperiment(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
});

test.each([
  ['epoch', { ...LEAST, fit: { epoch: 3 } }, 'fit.epoch: unknown field; did you mean "epochs"?'],
  [
    'growthRato',
    { ...LEAST, splitting: { growthRato: 1 } },
    'splitting.growthRato: unknown field; did you mean "growthRatio"?',
  ],
  ['top level', { ...LEAST, sed: 1 }, 'sed: unknown field; did you mean "seed"?'],
  [
    'nested twice',
    { ...LEAST, fit: { optimizer: { momentun: 0.5 } } },
    'fit.optimizer.momentun: unknown field; did you mean "momentum"?',
  ],
  [
    'of another preset',
    { ...LEAST, network: { preset: 'mobilenet_v1', blocks: 3 } },
    'network.blocks: unknown field',
  ],
  [
    'of another schedule',
    { ...LEAST, fit: { schedule: { kind: 'cosine', factor: 0.1 } } },
    'fit.schedule.factor: unknown field',
  ],
  [
    'of a directory',
    { ...LEAST, network: { directory: 'a', blocks: 1 } },
    'network.blocks: unknown field; did you mean',
  ],
  ['of a file', { ...LEAST, data: { file: 'a', root: 'b' } }, 'data.root: unknown field'],
  ['not a word of ours', { ...LEAST, constructor: 1 }, 'constructor: unknown field'],
])('an unknown field (%s) is named with the nearest known one', (_what, json, message) => {
  expect(messageOf(() => parseExperiment(json))).toContain(message);
});

test.each([
  [
    'preset',
    { ...LEAST, network: { preset: 'mobilenet_cifar1O' } },
    'network.preset: expected one of',
    'did you mean "mobilenet_cifar10"?',
  ],
  [
    'dataset',
    { ...LEAST, data: { name: 'cifar-10' } },
    'data.name: expected one of',
    'did you mean "cifar10"?',
  ],
  [
    'schedule',
    { ...LEAST, fit: { schedule: { kind: 'cosin' } } },
    'fit.schedule.kind: expected one of',
    'did you mean "cosine"?',
  ],
  [
    'strategy',
    { ...LEAST, splitting: { strategy: 'energy' } },
    'splitting.strategy: expected one of',
    'got "energy"',
  ],
  ['type', { ...LEAST, fit: { epochs: '3' } }, 'fit.epochs: expected', 'got "3"'],
  ['fraction', { ...LEAST, fit: { batch: 2.5 } }, 'fit.batch: expected', 'got 2.5'],
  ['range', { ...LEAST, fit: { batch: 0 } }, 'fit.batch:', 'got 0'],
  ['epsilon', { ...LEAST, splitting: { epsilon: 'linesearch' } }, 'splitting.epsilon:', 'got "linesearch"'],
  [
    'preset option',
    { ...LEAST, network: { preset: 'mobilenet_cifar10', width: 0.5 } },
    'network.width: expected',
    'got 0.5',
  ],
  [
    'activation',
    { ...LEAST, network: { preset: 'mobilenet_cifar10', activation: 'rely' } },
    'network.activation: expected one of',
    'did you mean "relu"?',
  ],
  ['missing', { network: LEAST.network, data: LEAST.data }, 'name: expected string', 'got nothing'],
  ['missing network', { name: 'x', data: LEAST.data }, 'network:', 'got nothing'],
  [
    'nesterov',
    { ...LEAST, fit: { optimizer: { nesterov: true, momentum: 0 } } },
    'fit.optimizer.nesterov: needs a momentum',
    'got true',
  ],
  [
    'warm-up',
    { ...LEAST, fit: { epochs: 2, schedule: { kind: 'cosine', warmup: 2 } } },
    'fit.schedule.warmup: expected fewer',
    'got 2',
  ],
  [
    'labels',
    { ...LEAST, data: { name: 'cifar10', labels: 'fine' } },
    'data.labels: expected only with cifar100',
    'got "fine"',
  ],
  ['list', [], 'experiment: expected object', 'got []'],
  ['null', null, 'experiment: expected object', 'got null'],
])('a mistyped field (%s) is named with what was expected and found', (_what, json, expected, found) => {
  const message = messageOf(() => parseExperiment(json));
  expect(message).toContain(expected);
  expect(message).toContain(found);
  expect(message).not.toContain('\n');
});

test('--set overrides a field, as JSON where it parses and as text where it does not', () => {
  const spec = parseExperiment(EXAMPLE, [
    'fit.epochs=3',
    'splitting.epsilon=line-search',
    'fit.schedule={"kind":"steps","at":[1,2]}',
    'fit.schedule.at.1=5',
    'stop.macs=1e6',
    'output=runs/a=b',
  ]);
  expect(spec.fit.epochs).toBe(3);
  expect(spec.splitting.epsilon).toBe('line-search');
  expect(spec.fit.schedule).toEqual({ kind: 'steps', at: [1, 5], factor: 0.1 });
  expect(spec.stop).toEqual({ stages: 8, macs: 1_000_000 });
  expect(spec.output).toBe('runs/a=b');
});

test.each(['fit.epochs', '=3', 'fit..epochs=3', 'fit.schedule.at.7=1', 'fit.epocs=3', '__proto__.x=1'])(
  '--set %s is refused',
  (override) => {
    expect(() => parseExperiment(EXAMPLE, [override])).toThrow(
      expect.objectContaining({ code: 'E_EXPERIMENT' }),
    );
  },
);

test('overriding leaves the given object as it is', () => {
  const before = JSON.stringify(EXAMPLE);
  parseExperiment(EXAMPLE, ['fit.optimizer.learningRate=1']);
  expect(JSON.stringify(EXAMPLE)).toBe(before);
});

test.each([
  ['the top', { ...LEAST, shuffle: false }],
  ['fit', { ...LEAST, fit: { shuffle: false } }],
  ['data', { ...LEAST, data: { ...LEAST.data, shuffle: false } }],
])('shuffle may stand in %s', (_where, json) => {
  expect(parseExperiment(json).data.shuffle).toBe(false);
});

test('splitting.energy is another name of splitting.costEstimate, in kept experiments and in --set too', () => {
  const energy = { estimate: 'own-layer', transform: 'log' };
  const want = parseExperiment({ ...LEAST, splitting: { costEstimate: energy } });
  expect(want.splitting.costEstimate).toEqual(energy);
  expect(parseExperiment({ ...LEAST, splitting: { energy } })).toEqual(want);
  expect(parseExperiment({ ...LEAST, splitting: { energy, costEstimate: { ...energy } } })).toEqual(want);
  const set = ['splitting={}', 'splitting.energy.estimate=own-layer', 'splitting.energy.transform=log'];
  expect(parseExperiment(LEAST, set)).toEqual(want);
  const kept = { ...LEAST, data: { ...LEAST.data, validation: 0.1 }, splitting: { energy } };
  expect(withDefaults(kept)).toEqual(want);
});

test('fields with a former name are told', () => {
  expect(formerPlaceNotes({ ...LEAST, splitting: { energy: {} }, fit: { shuffle: true } })).toEqual([
    'fit.shuffle is now data.shuffle; the former name still works',
    'splitting.energy is now splitting.costEstimate; the former name still works',
  ]);
  expect(formerPlaceNotes({ ...LEAST, splitting: { costEstimate: {} } })).toEqual([]);
});

test('shuffle given twice with different values is refused', () => {
  const json = { ...LEAST, fit: { shuffle: true }, data: { ...LEAST.data, shuffle: false } };
  expect(messageOf(() => parseExperiment(json))).toContain('shuffle');
});

test('every experiment that ships is valid', async () => {
  const folder = new URL('../../../experiments/', import.meta.url);
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    await readExperiment(new URL(name, folder).pathname);
  }
});

test('an experiment file may have comments, a fault in it is told with its line and column', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'x.jsonc');
  const text = `{
  // what it is called
  "name": "x",
  "network": { "preset": "mobilenet_cifar10", /* "blocks": 3 */ },
  "data": { "name": "cifar10", "root": "DIR" }, // a comma more
}`;
  writeFileSync(file, text);
  expect(await readExperiment(file)).toEqual(parseExperiment(LEAST));
  writeFileSync(file, text.replace('"x",', '"x"'));
  await expect(readExperiment(file)).rejects.toMatchObject({
    code: 'E_EXPERIMENT',
    message: `experiment ${file}: expected JSON; line 4, column 3: expected "," before what comes next`,
  });
  writeFileSync(file, text.replace('/* "blocks": 3 */', '"preset": "mobilenet_v1"'));
  await expect(readExperiment(file)).rejects.toThrow(/line 4, .*"preset" twice/);
});

test.each<[what: string, json: string, set: readonly string[]]>([
  ['stop.costs', '{}', ['stop.costs={"__proto__":1}']],
  ['a path', '{}', ['stop.costs.__proto__=1']],
  ['splitting.layerCap', '{"splitting":{"layerCap":{"__proto__":3}}}', []],
  ['the top', '{"__proto__":{"seed":1}}', []],
  ['a list', '{"compare":[{"method":"l1","__proto__":1}]}', []],
])('the name "__proto__" in %s is refused, not passed over', (_what, json, set) => {
  const given = { ...LEAST, ...(JSON.parse(json) as object) };
  // As a file has it: a member of its own.
  for (const [name, value] of Object.entries(JSON.parse(json) as object))
    Object.defineProperty(given, name, { value, enumerable: true, configurable: true, writable: true });
  expect(() => parseExperiment(given, set)).toThrow(
    expect.objectContaining({ code: 'E_EXPERIMENT', message: expect.stringContaining('"__proto__"') }),
  );
});

test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
  'a cost of the inherited name %s is refused like any that is not there',
  (name) => {
    for (const set of [
      `stop.costs={"${name}":1}`,
      `splitting.cost="${name}"`,
      `splitting.strategy="${name}"`,
    ])
      expect(() => parseExperiment(LEAST, [set]), set).toThrow(
        expect.objectContaining({ code: 'E_EXPERIMENT', message: expect.stringContaining(`"${name}"`) }),
      );
    expect(() => parseExperiment({ ...LEAST, fit: { [name]: 1 } })).toThrow(
      expect.objectContaining({ code: 'E_EXPERIMENT', message: expect.stringContaining(name) }),
    );
  },
);

test('a cost of your own may have an inherited name', () => {
  const spec = parseExperiment(LEAST, ['stop.costs={"toString":5}'], { costs: { toString: () => 1 } });
  expect(spec.stop.costs).toEqual({ toString: 5 });
});

test('an experiment that was kept gets the defaults of this version, also where its strategy is known in code alone', () => {
  const kept = { ...LEAST, data: { ...LEAST.data, validation: 0.1 } };
  expect(withDefaults(kept)).toEqual(parseExperiment(LEAST));
  const splitting = { strategy: 'of-the-caller' };
  const known = { strategies: { 'of-the-caller': () => [] } };
  expect(() => parseExperiment({ ...LEAST, splitting })).toThrow(/of-the-caller/);
  expect(withDefaults({ ...kept, splitting })).toEqual(parseExperiment({ ...LEAST, splitting }, [], known));
  // This version cannot read it: it stays as it is.
  const strange = { ...LEAST, fit: { epochs: 'many' } };
  expect(withDefaults(strange)).toBe(strange);
});
