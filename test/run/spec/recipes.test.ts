// Recipes: what they fill in, what wins over them, and that the paper's changes nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCommentedJson } from '../../../lib/machine/files/json.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import { obstacle } from '../../../lib/run/spec/differences.js';
import { RECIPES } from '../../../lib/run/spec/recipes.js';
import { experimentSchema } from '../../../lib/run/spec/schema/experiment.js';
import { parseExperiment, withDefaults } from '../../../lib/run/spec/spec.js';
import { unusedSettings } from '../../../lib/run/spec/unused-notes.js';
import { ROOT } from '../../data/places.js';
import { messageOf } from '../../reference.js';
import { leavesOf } from './schema/leaves.js';

const LEAST = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10' } };
const growth = (more: object = {}, set: readonly string[] = []) =>
  parseExperiment({ ...LEAST, recipe: 'growth', ...more }, set);

test('recipe paper is what a file without one gets, for every experiment that ships', () => {
  const folder = join(ROOT, 'experiments');
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  expect(files.length).toBeGreaterThan(5);
  for (const name of files) {
    const json = parseCommentedJson(readFileSync(join(folder, name), 'utf8')) as { recipe?: string };
    const { recipe = 'paper', ...plain } = json;
    if (recipe === 'paper')
      expect(parseExperiment({ ...plain, recipe: 'paper' }), name).toEqual(parseExperiment(plain));
  }
  expect(parseExperiment(LEAST).recipe).toBe('paper');
});

test('growth fills in what the file leaves out, and nothing else', () => {
  const { fit, splitting } = RECIPES.growth;
  const { recipe: _none, ...rest } = parseExperiment({ ...LEAST, fit, splitting });
  const { recipe, ...filled } = growth();
  expect(recipe).toBe('growth');
  expect(filled).toEqual(rest);
  expect(filled.fit).toMatchObject({
    ...{ batch: 64, epochs: 3, schedule: { kind: 'constant' } },
    finish: { epochs: 19, decay: 6, stages: 'last' },
    optimizer: { learningRate: 0.4, momentum: 0.9 },
  });
  expect(filled.splitting).toMatchObject({ method: 'auto', images: 512, outgoingDelta: 0.4, rescale: 1 });
});

test("the file's own fields win, and --set over them", () => {
  const own = { fit: { batch: 32, optimizer: { momentum: 0.5 } }, splitting: { epsilon: 'line-search' } };
  expect(growth(own)).toMatchObject({
    fit: { batch: 32, epochs: 3, optimizer: { learningRate: 0.4, momentum: 0.5 } },
    splitting: { epsilon: 'line-search', images: 512 },
  });
  const set = ['fit.batch=16', 'fit.finish.epochs=[0,9]', 'splitting.images=null'];
  expect(growth(own, set)).toMatchObject({
    fit: { batch: 16, finish: { epochs: [0, 9], decay: 6, stages: 'last' } },
    splitting: { images: null },
  });
  expect(parseExperiment(LEAST, ['recipe=growth'])).toEqual(growth());
  const schedules = [{ kind: 'constant' }, { kind: 'cosine' }];
  const lists = growth({ fit: { schedule: schedules, finish: { epochs: 0, decay: null } } });
  expect(lists.fit.schedule).toHaveLength(2);
});

test('every path of a recipe is a field of the experiment', () => {
  const paths = (value: unknown, path = ''): readonly string[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([name, inner]) => paths(inner, path === '' ? name : `${path}.${name}`))
      : [path];
  const known = leavesOf(experimentSchema());
  for (const [name, recipe] of Object.entries(RECIPES))
    expect(
      paths(recipe).filter((path) => path !== '' && !known.includes(path)),
      name,
    ).toEqual([]);
});

test('an unknown recipe is refused with the known ones, and a value that does not suit is told of the recipe', () => {
  expect(messageOf(() => parseExperiment({ ...LEAST, recipe: 'grwth' }))).toBe(
    'recipe: expected one of paper, growth, got "grwth"; did you mean "growth"?',
  );
  expect(messageOf(() => parseExperiment({ ...LEAST, recipe: 3 }))).toContain('recipe: expected one of');
  expect(messageOf(() => growth({ fit: { schedule: { kind: 'cosine' } } }))).toBe(
    'fit.finish.epochs: expected fit.schedule.kind constant: finishing is where the rate falls, got 19; recipe growth fills in what is left out',
  );
});

test('a run goes on by the values that it was begun with, whatever its recipe is called', () => {
  const spec = growth();
  expect(obstacle(spec, { ...spec, recipe: 'paper' })).toBeNull();
  // A kept experiment has every value of its version: what is new since then is the paper's default.
  const { rescale: _, ...older } = spec.splitting;
  expect(withDefaults({ ...spec, splitting: older })).toMatchObject({
    recipe: 'paper',
    splitting: { rescale: 0, outgoingDelta: 0.4 },
  });
});

test("a recipe's own values are not told as unused", () => {
  const graph = buildPreset('mobilenet_cifar10', { blocks: 1, width: 4 });
  const use = { command: 'grow', graph, trainImages: 100 } as const;
  expect(unusedSettings({ ...use, spec: growth() })).toEqual([]);
  expect(unusedSettings({ ...use, spec: growth({ splitting: { images: 300 } }) })).toHaveLength(1);
});
