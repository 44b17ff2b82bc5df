// What each field of an experiment affects, by hand, and that four decisions follow from it for every field.
import { expect, test } from 'vitest';
import { runKey, seedKey } from '../../../lib/figure/identity.js';
import {
  difference,
  obstacle,
  rankPart,
  remediesTaken,
  seedExperiment,
  seedPart,
} from '../../../lib/run/spec/differences.js';
import { EFFECTS, type Spec } from '../../../lib/run/spec/experiment.js';
import { FORMER_PLACES } from '../../../lib/run/spec/former-places.js';
import { experimentSchema } from '../../../lib/run/spec/schema/experiment.js';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import { leavesOf } from './schema/leaves.js';

const of = (part: string, names: string): readonly string[] =>
  names.split(' ').map((name) => `${part}${name}`);

/** Every field by what it affects. Written by hand: a new field has to be placed here as well. */
const TABLE = {
  weights: [
    ...of('', 'seed device'),
    ...of(
      'network.',
      'preset resolution channels classes activation width round blocks shortcut dropout stem graph',
    ),
    ...of(
      'data.',
      'name whole augment labels trainImages testImages validation shuffle classesBy cropPadding resolution leastArea',
    ),
    ...of(
      'data.',
      'shortSide mean std testShare testPart followLinks maxPixels maxScans scaledDecoding skipUnreadable',
    ),
    ...of(
      'fit.',
      'epochs batch remainder microBatch precision labelSmoothing gradientClip syncBatchNorm evaluationBatch',
    ),
    ...of('fit.optimizer.', 'kind learningRate momentum nesterov weightDecay decay'),
    ...of('fit.schedule.', 'kind at factor warmup final decay'),
    ...of('fit.', 'finish.epochs finish.decay finish.stages average.decay average.every average.warmup'),
  ],
  'after stage 0': [
    'fit.rateByAge',
    ...of('stop.', 'stages macs costs'),
    ...of(
      'splitting.',
      'strategy method alongside epochs tolerance mostEpochs passes batch learningRate epsilon epsilonScale',
    ),
    ...of(
      'splitting.',
      'outgoingDelta rescale noise shrink perturb recalibrateImages twins gradients growthRatio cost budgets layerCap hardLimit',
    ),
    ...of(
      'splitting.',
      'optimizerState directionHalving depthwiseBatchNorm reluBeta identityCurvature images memoryLimit',
    ),
    ...of('splitting.rmsprop.', 'alpha momentum epsilon decayFactor decayEvery decayFirst'),
    ...of(
      'splitting.',
      'lineSearch.grid lineSearch.images lineSearch.statistics costEstimate.estimate costEstimate.transform',
    ),
    ...of('splitting.', 'rounding.kind rounding.threshold insertion.kind insertion.share'),
  ],
  place: ['output', 'data.root', 'data.file', 'data.store', 'network.directory'],
  nothing: [
    ...of('', '$schema name recipe compare threads'),
    ...of('checkpoint.', 'minutes keep indicesBytes evaluateEvery'),
    ...of('data.', 'workers prefetch'),
    ...of('deliver.', 'which compute learningRate stages'),
  ],
} as const;

/** Fields with which a run that has stopped may go on otherwise, and those of them that suit a finished run. */
const REMEDIES = [
  ...of('fit.', 'optimizer.learningRate schedule.warmup gradientClip precision microBatch evaluationBatch'),
  ...of('splitting.', 'epsilon lineSearch.grid memoryLimit'),
  ...['data.skipUnreadable', 'data.store', 'device'],
];
const SUITS_FINISHED = ['data.skipUnreadable', 'data.store', 'device'];
/** Places where no other field tells what lies there. */
const CONTENT = ['data.file', 'data.store', 'network.directory'];
/** Lists that give each stage its own value. */
const PER_STAGE = ['fit.epochs', 'fit.finish.epochs', 'splitting.growthRatio'];
/** What each machine of a run over ranks may have for itself. */
const PER_MACHINE = ['threads', 'data.workers', 'data.prefetch'];

const FIELDS = Object.values(TABLE).flat();
const affects = (field: string): string =>
  Object.entries(TABLE).find(([, fields]) => (fields as readonly string[]).includes(field))?.[0] ?? '';

test('the table has every field of the published schema, and each says in its row what it affects', () => {
  // The rivals are one field.
  const inSchema = leavesOf(experimentSchema()).map((path) =>
    path.startsWith('compare') ? 'compare' : path,
  );
  const isFormer = (path: string) =>
    Object.keys(FORMER_PLACES).some((old) => `${path}.`.startsWith(`${old}.`));
  const published = new Set(inSchema.filter((path) => !isFormer(path)));
  expect([...FIELDS].sort()).toEqual([...published].sort());
  const told = Object.fromEntries([...EFFECTS].map(([field, effect]) => [field, effect.affects]));
  expect(told).toEqual(Object.fromEntries(FIELDS.map((field) => [field, affects(field)])));
});

test('the further facts are those of the lists', () => {
  const having = (
    fact: 'remedy' | 'suitsFinished' | 'isContent' | 'isPerMachine' | 'mayRise' | 'isPerStage',
  ) => [...EFFECTS].flatMap(([field, effect]) => (effect[fact] === undefined ? [] : [field])).sort();
  expect(having('remedy')).toEqual([...REMEDIES].sort());
  expect(having('suitsFinished')).toEqual([...SUITS_FINISHED].sort());
  expect(having('isContent')).toEqual([...CONTENT].sort());
  expect(having('isPerMachine')).toEqual([...PER_MACHINE].sort());
  expect(having('mayRise')).toEqual(['stop.stages']);
  expect(having('isPerStage')).toEqual(PER_STAGE);
});

type Json = Readonly<Record<string, unknown>>;

/** A copy with another value at a path. */
function changed(json: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const part = (json ?? {}) as Json;
  return { ...part, [name]: changed(part[name], rest, value) };
}

const BASE = parseExperiment({ name: 'x', network: { preset: 'mobilenet_v1' }, data: { name: 'cifar10' } });

/** Two experiments that differ in one field alone. */
function pair(field: string): readonly [Spec, Spec] {
  const at = (value: unknown): Spec => changed(BASE, field.split('.'), value) as Spec;
  return PER_STAGE.includes(field) ? [at(1), at(2)] : [at('one'), at('other')];
}

const isContent = (field: string): boolean => CONTENT.includes(field);
const decides = (field: string): boolean =>
  ['weights', 'after stage 0'].includes(affects(field)) || isContent(field);
const decidesSeed = (field: string): boolean => affects(field) === 'weights' || isContent(field);
const told = ([kept, asked]: readonly [Spec, Spec]): string =>
  JSON.stringify(rankPart(kept)) === JSON.stringify(rankPart(asked)) ? 'not compared' : 'compared';

test.each(FIELDS)('another %s is accepted or refused as its row says', (field) => {
  const [kept, asked] = pair(field);
  const isRemedy = REMEDIES.includes(field);
  const isBlocked = decides(field) && !isRemedy;
  // Going on after a stop, and after the end.
  expect(obstacle(kept, asked)?.field ?? null).toBe(isBlocked ? field : null);
  const isBlockedAtEnd = decides(field) && !SUITS_FINISHED.includes(field);
  expect(obstacle(kept, asked, { isFinished: true })?.field ?? null).toBe(isBlockedAtEnd ? field : null);
  expect(remediesTaken(kept, asked).map((one) => one.field)).toEqual(isRemedy ? [field] : []);
  // Taking over a stage 0.
  expect(difference(seedPart(kept), seedPart(asked))?.field ?? null).toBe(decidesSeed(field) ? field : null);
  // Folders of a figure: the seed is part of the name itself, as is the strategy.
  expect(runKey(kept) === runKey(asked)).toBe(!decides(field));
  expect(seedKey(kept) === seedKey(asked)).toBe(!decidesSeed(field));
  // Ranks.
  const isOfMachine = affects(field) === 'place' || PER_MACHINE.includes(field);
  expect(told([kept, asked])).toBe(isOfMachine ? 'not compared' : 'compared');
});

test('a run goes on for more stages, and for fewer it does not', () => {
  const stages = (count: number): Json => ({ stop: { stages: count } });
  expect(obstacle(stages(1), stages(3))).toBeNull();
  expect(obstacle(stages(1), stages(3), { isFinished: true })).toBeNull();
  expect(obstacle(stages(3), stages(1))?.field).toBe('stop.stages');
});

test('a store may lie elsewhere, but is not exchanged for a folder of files: its images may have been encoded anew', () => {
  const [store, root] = [{ data: { store: 'S' } }, { data: { root: 'R' } }];
  expect(obstacle(store, { data: { store: 'T' } })).toBeNull();
  expect(obstacle(store, root)?.field).toBe('data.store');
  expect(obstacle(root, store)?.field).toBe('data.store');
});

test('of a list that gives each stage its own, stage 0 depends on the first alone', () => {
  const of0 = (epochs: unknown): Json => seedPart(changed(BASE, ['fit', 'epochs'], epochs) as Spec);
  expect(difference(of0([2, 1]), of0(2))).toBeNull();
  expect(difference(of0([1, 2]), of0(2))?.field).toBe('fit.epochs');
});

test('so it does of a list of schedules', () => {
  const of0 = (schedule: unknown): Json => seedPart(changed(BASE, ['fit', 'schedule'], schedule) as Spec);
  const [constant, wsd] = [{ kind: 'constant' }, { kind: 'wsd', warmup: 0, decay: 2 }];
  expect(difference(of0([constant, wsd]), of0(constant))).toBeNull();
  expect(difference(of0([wsd, constant]), of0(constant))?.field).toBe('fit.schedule.kind');
});

test('stage 0 does not depend on how the last stage is finished, where that alone is', () => {
  const of0 = (finish: Json): Json => seedPart(changed(BASE, ['fit', 'finish'], finish) as Spec);
  const [last, every] = [
    { epochs: 5, decay: 2, stages: 'last' },
    { epochs: 5, decay: 2, stages: 'every' },
  ];
  expect(difference(of0(last), of0({ ...last, epochs: 7 }))).toBeNull();
  expect(difference(of0(every), of0({ ...every, epochs: 7 }))?.field).toBe('fit.finish.epochs');
  const given = (finish: Json): Json => ({ fit: { finish } });
  expect(obstacle(given(last), given({ ...last, epochs: 7 }))?.field).toBe('fit.finish.epochs');
});

test.each([
  { epochs: 5, decay: 2, stages: 'last' },
  { epochs: [0, 5], decay: 2, stages: 'last' },
  { epochs: 5, decay: 2, stages: 'every' },
  { epochs: 0 },
])('a run takes over the stage 0 that its own seed experiment fits, finished by %j', (finish) => {
  const fit = { schedule: { kind: 'constant' }, finish };
  const spec = parseExperiment({ name: 'x', network: BASE.network, data: BASE.data, fit });
  const { threads, seed } = spec;
  const first = parseExperiment({ ...seedExperiment(spec), name: 'y', threads, seed, stop: { stages: 0 } });
  expect(difference(seedPart(first), seedPart(spec))).toBeNull();
});

test('a field that this version does not know keeps a run from going on', () => {
  expect(obstacle({ fit: { old: 1 } }, { fit: {} })?.field).toBe('fit.old');
});
