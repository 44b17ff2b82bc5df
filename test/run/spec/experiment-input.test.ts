// Types of an experiment as it is written. What is wrong here does not compile: `npm run check` compiles the tests.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { defineExperiment } from '../../../lib/api/experiment.js';
import { part, weights } from '../../../lib/run/spec/effects.js';
import { EXPERIMENT } from '../../../lib/run/spec/experiment.js';
import type { CompareEntryInput, ExperimentInput } from '../../../lib/run/spec/experiment-input.js';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import { ROOT } from '../../data/places.js';

/** All of a type read-only, down to its leaves. */
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** What the schema takes. That a rival and a delivery may be given by a name alone is added before the schema sees it. */
type FromSchema = Omit<Frozen<z.input<typeof EXPERIMENT>>, 'compare' | 'deliver'>;
type Written = Omit<ExperimentInput, 'compare' | 'deliver'>;
type Rivals = NonNullable<Frozen<z.input<typeof EXPERIMENT>>['compare']>[number];

const toWritten = (given: FromSchema): Written => given;
const toSchema = (given: Written): FromSchema => given;
const toEntry = (given: Rivals): CompareEntryInput => given;
const toRival = (given: CompareEntryInput): Rivals => given;

test('what is written by the types is what the schema takes, both ways', () => {
  for (const same of [toWritten, toSchema, toEntry, toRival]) expect(same.length).toBe(1);
  expect(Object.keys(EXPERIMENT.shape)).toContain('network');
});

const LEAST = { name: 'x', data: { name: 'cifar10' } } as const;

test('an experiment with its types is one that is accepted', () => {
  const experiment = defineExperiment({
    ...LEAST,
    network: { preset: 'mobilenet_cifar10', blocks: 3, width: 8 },
    fit: { epochs: [3, 2], schedule: { kind: 'cosine', warmup: 1 } },
    splitting: { growthRatio: 0.5, cost: ['macs', 'of-my-own'], epsilon: 'line-search' },
    compare: ['scratch', { method: 'prune-bn', strength: 1e-3 }],
    stop: { stages: 2, costs: { params: 9 } },
  });
  const extensions = { costs: { 'of-my-own': () => 1 } };
  expect(parseExperiment(experiment, [], extensions).stop.stages).toBe(2);
});

test('misspelt fields and choices do not compile, and are refused', () => {
  const network = { preset: 'mobilenet_v1' } as const;
  const wrong: readonly unknown[] = [
    // @ts-expect-error there is no such preset
    defineExperiment({ ...LEAST, network: { preset: 'mobilenet_cifar11' } }),
    // @ts-expect-error an option of another preset
    defineExperiment({ ...LEAST, network: { preset: 'mobilenet_v1', blocks: 3 } }),
    // @ts-expect-error misspelt
    defineExperiment({ ...LEAST, network: { preset: 'mobilenet_v1', resolutoin: 64 } }),
    // @ts-expect-error misspelt
    defineExperiment({ name: 'x', network, data: { name: 'image-folder', resolutoin: 64 } }),
    // @ts-expect-error misspelt
    defineExperiment({ ...LEAST, network, stop: { stage: 3 } }),
    // @ts-expect-error misspelt
    defineExperiment({ ...LEAST, network, fit: { epoch: 3 } }),
    // @ts-expect-error of another schedule
    defineExperiment({ ...LEAST, network, fit: { schedule: { kind: 'cosine', factor: 0.1 } } }),
    // @ts-expect-error there is no such method
    defineExperiment({ ...LEAST, network, compare: ['prune-bm'] }),
    // @ts-expect-error without a network
    defineExperiment(LEAST),
  ];
  for (const one of wrong) expect(() => parseExperiment(one), JSON.stringify(one)).toThrow();
});

test('a field that does not say what it affects does not compile', () => {
  const told = weights(EXPERIMENT.shape.name);
  expect(Object.keys(part({ told }).shape)).toEqual(['told']);
  // @ts-expect-error the field of a plain schema says nothing
  expect(Object.keys(part({ told: told.optional() }).shape)).toEqual(['told']);
});

/** JSON as TypeScript sees it when it is written out in a file. */
test('experiments that ship have the shapes of the types', () => {
  const folder = join(ROOT, 'experiments');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json')))
    expect(() => parseExperiment(JSON.parse(readFileSync(join(folder, name), 'utf8')))).not.toThrow();
});
