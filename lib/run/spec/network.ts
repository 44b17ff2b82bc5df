// The `network` part of an experiment: a preset with its own options, from the zoo's table, a network directory, or a graph.
import { z } from 'zod';
import type { Field as OptionField } from '../../graph/fields.js';
import { FORMAT, type Graph } from '../../graph/ir.js';
import { type PresetOptions, ZOO } from '../../models/zoo.js';
import { type Field, part, place, weights } from './effects.js';
import type { NetworkInput } from './experiment-input.js';

function schemaOf(field: OptionField): z.ZodType {
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

/** Options that follow from the data where they are left out (start.ts); the others have a default of their own. */
const OF_DATA: ReadonlySet<string> = new Set(['resolution', 'channels', 'classes']);

function optionSchema(key: string, field: OptionField): Field {
  const option = schemaOf(field).optional();
  return weights(
    OF_DATA.has(key)
      ? option.describe(`${field.about}; left out: as the data are`)
      : option.meta({ description: field.about, default: field.default }),
  );
}

function presetSchema([name, { summary, options }]: [
  string,
  (typeof ZOO)[string],
]): z.core.$ZodTypeDiscriminable {
  const fields = Object.entries(options).map(([key, field]) => [key, optionSchema(key, field)] as const);
  return part({ preset: weights(z.literal(name).describe(summary)), ...Object.fromEntries(fields) });
}

const [FIRST, ...OTHERS] = Object.entries(ZOO).map(presetSchema) as [
  z.core.$ZodTypeDiscriminable,
  ...z.core.$ZodTypeDiscriminable[],
];

/** A preset as it is written. */
export type PresetInput = Extract<NetworkInput, { readonly preset: string }>;
/** Resolution, channels and classes that are left out follow from the data. */
export type PresetSpec = { readonly preset: string } & PresetOptions;
export const PRESET = z.discriminatedUnion('preset', [FIRST, ...OTHERS]) as unknown as z.ZodType<
  PresetSpec,
  PresetInput
>;

/** A network directory: its weights are where the run starts. */
export const DIRECTORY = part({
  directory: place(z.string().min(1).describe('network directory: where the run starts, weights and all'), {
    isContent: true,
  }),
});

/** A graph as it stands in network.json, its nodes checked by `parseGraph`: fresh weights, as for a preset. */
export const GRAPH = part({
  graph: weights(
    z
      .looseObject({ format: z.literal(FORMAT) })
      .describe('a graph as it stands in network.json, with fresh weights') as unknown as z.ZodType<
      Graph,
      Graph
    >,
  ),
});
