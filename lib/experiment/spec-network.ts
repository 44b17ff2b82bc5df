// The `network` part of an experiment: a preset with its own options, from the zoo's table, a network directory, or a graph.
import { z } from 'zod';
import type { Field } from '../graph/fields.js';
import { FORMAT } from '../graph/ir.js';
import { type PresetOptions, ZOO } from '../models/zoo.js';

function schemaOf(field: Field): z.ZodType {
  switch (field.kind) {
    case 'integer':
      return z.int().min(field.min).max(field.max);
    case 'number': {
      const range = z.number().min(field.min).max(field.max);
      return field.below === undefined ? range : range.lt(field.below);
    }
    case 'boolean':
      return z.boolean();
    case 'choice':
      return z.enum(field.choices);
  }
}

function presetSchema([name, { options }]: [string, (typeof ZOO)[string]]): z.core.$ZodTypeDiscriminable {
  const fields = Object.entries(options).map(([key, field]) => [key, schemaOf(field).optional()]);
  return z.strictObject({ preset: z.literal(name), ...Object.fromEntries(fields) });
}

const [FIRST, ...OTHERS] = Object.entries(ZOO).map(presetSchema) as [
  z.core.$ZodTypeDiscriminable,
  ...z.core.$ZodTypeDiscriminable[],
];

/** Resolution, channels and classes that are left out follow from the data. */
export type PresetSpec = { readonly preset: string } & PresetOptions;
export const PRESET = z.discriminatedUnion('preset', [FIRST, ...OTHERS]) as unknown as z.ZodType<PresetSpec>;

/** A network directory: its weights are where the run starts. */
export const DIRECTORY = z.strictObject({ directory: z.string().min(1) });

/** A graph as it stands in network.json, its nodes checked by `parseGraph`: fresh weights, as for a preset. */
export const GRAPH = z.strictObject({ graph: z.looseObject({ format: z.literal(FORMAT) }) });
