// Reads and checks an experiment as a whole, before anything runs.

import type { z } from 'zod';
import { isSplitgrowError, reasonOf, SplitgrowError } from '../../errors.js';
import { parseGraph } from '../../graph/check.js';
import { FLOAT32, isFloat32 } from '../../graph/float32.js';
import { isRecord, parseCommentedJson } from '../../machine/files/json.js';
import { readWhole } from '../../machine/files/text-file.js';
import { namedRivals } from './compare.js';
import { type DataSpec, dataSchema } from './data.js';
import { namedDelivery } from './deliver.js';
import { group, part } from './effects.js';
import { type NetworkSpec, REST, type Spec } from './experiment.js';
import { explain } from './explain.js';
import { callerTablesOf, type Extensions, refuseUnknown } from './extensions.js';
import { atPresentPlaces } from './former-places.js';
import { DIRECTORY, GRAPH, PRESET } from './network.js';
import { applyOverrides } from './overrides.js';
import { withoutRecipe, withRecipe } from './recipes.js';
import { withValidationSize } from './validation.js';

export type * from './experiment.js';

/** Kinds of networks by the member that tells them; without any it is a preset. */
const NETWORKS = { preset: PRESET, directory: DIRECTORY, graph: GRAPH };

function networkSchema(value: unknown): z.ZodType<NetworkSpec> {
  const kind = Object.entries(NETWORKS).find(([key]) => isRecord(value) && key in value);
  return (kind?.[1] ?? PRESET) as z.ZodType<NetworkSpec>;
}

/** A graph within an experiment, every rule checked. @throws E_GRAPH_* naming network.graph */
function checkedNetwork(network: NetworkSpec): NetworkSpec {
  if (!('graph' in network)) return network;
  try {
    return { graph: parseGraph(network.graph) };
  } catch (error) {
    if (!(error instanceof SplitgrowError)) throw error;
    throw new SplitgrowError(error.code, error.message.replace(/^network\.json/, 'network.graph'));
  }
}

/** Levels of lists and objects: what checks them calls itself once a level. No field lies deeper than a third of it. */
const MOST_LEVELS = 32;

/** Throws E_EXPERIMENT where lists and objects nest too deep, in each other or in themselves. */
function refuseDeep(json: unknown): void {
  let level: readonly unknown[] = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) {
      throw new SplitgrowError(
        'E_EXPERIMENT',
        `expected lists and objects within each other at most ${MOST_LEVELS} levels deep, found more`,
      );
    }
    // As a name in an object it is no member like others: what checks the rest passes it over, so it would be dropped unseen.
    if (
      level.some((value) => typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__'))
    ) {
      throw new SplitgrowError(
        'E_EXPERIMENT',
        'expected names of fields, costs and layers, found "__proto__", which is none; take it out',
      );
    }
    // Functions of a caller's own costs and graphs hold nothing that is checked here.
    level = [...new Set(level)].flatMap((value) =>
      typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) ? Object.values(value) : [],
    );
  }
}

/**
 * Checks a whole experiment before anything runs. Nothing is read from disk.
 *
 * @param json What JSON.parse gave, or the experiment as an object; untrusted.
 * @param overrides `path=value`, as of `--set`.
 * @param extensions Costs and strategies of your own, which it may name besides those there are.
 * @throws E_EXPERIMENT naming the field and the nearest known one; E_GRAPH_* for a graph within it; E_ARGUMENT for extensions
 *   that cannot be
 */
export function parseExperiment(
  json: unknown,
  overrides: readonly string[] = [],
  extensions: Extensions = {},
): Spec {
  const callers = callerTablesOf(extensions);
  const spec = checkedFields(json, overrides);
  refuseUnknown(spec, callers);
  return spec;
}

/** All of an experiment but whether the costs and strategies that it names are there: those of a caller are known in code alone. */
function checkedFields(json: unknown, overrides: readonly string[] = []): Spec {
  refuseDeep(json);
  // A name stands for an object, of which the next override may set a member.
  const overridden = overrides.reduce(
    (current, override) => namedDelivery(applyOverrides(current, [override])),
    namedDelivery(json),
  );
  refuseDeep(overridden);
  const input = isRecord(overridden) ? withRecipe(atPresentPlaces(namedRivals(overridden))) : overridden;
  const value = isRecord(input) ? input : {};
  const schema = part({
    ...REST,
    network: group(networkSchema(value.network)),
    data: group(dataSchema(value.data)),
  });
  const result = schema.safeParse(input);
  if (!result.success) {
    // A value that is refused may be one that the file does not have.
    const from = value.recipe === 'growth' ? '; recipe growth fills in what is left out' : '';
    throw new SplitgrowError('E_EXPERIMENT', `${explain(schema, input, result.error)}${from}`);
  }
  const { $schema: _schema, ...spec } = result.data;
  for (const part of ['fit', 'splitting', 'data'] as const) refuseBeyond(spec[part], part);
  const whole = {
    ...spec,
    network: checkedNetwork(spec.network),
    output: spec.output ?? `runs/${spec.name}`,
  };
  return withValidationSize(whole);
}

/** Refuses numbers of a part that becomes arithmetic in float32 and that float32 would take for infinite, or for 0. */
function refuseBeyond(value: unknown, path: string): void {
  if (typeof value === 'number') {
    if (isFloat32(value)) return;
    throw new SplitgrowError('E_EXPERIMENT', `${path}: expected ${FLOAT32}, got ${value}`);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) refuseBeyond(inner, `${path}.${name}`);
}

/** Checks the `data` part alone. */
export function parseData(json: unknown): DataSpec {
  refuseDeep(json);
  const schema = dataSchema(json);
  const result = schema.safeParse(json);
  if (!result.success)
    throw new SplitgrowError('E_EXPERIMENT', explain(schema, json, result.error, ['data']));
  return result.data;
}

/** Before there was `data.validation` all training images were trained on. */
function withoutValidation(kept: unknown): unknown {
  if (!isRecord(kept) || !isRecord(kept.data) || kept.data.validation !== undefined) return kept;
  return { ...kept, data: { ...kept.data, validation: 0 } };
}

/** An experiment that an older version kept, with the fields that are new since then; as it is where this version cannot read it. */
export function withDefaults(kept: unknown): unknown {
  try {
    return checkedFields(withoutRecipe(withoutValidation(kept)));
  } catch (error) {
    if (isSplitgrowError(error)) return kept;
    throw error;
  }
}

/** The JSON of an experiment file, comments and trailing commas allowed. @throws E_EXPERIMENT with line and column */
export function experimentJson(text: string, place: string): unknown {
  try {
    return parseCommentedJson(text);
  } catch (cause) {
    throw new SplitgrowError('E_EXPERIMENT', `${place}: expected JSON; ${reasonOf(cause)}`, { cause });
  }
}

/** The JSON of the experiment file at `file`. @throws E_FILE, E_EXPERIMENT */
export async function readExperimentJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readWhole(file);
  } catch (cause) {
    const code = cause instanceof SyntaxError ? 'E_EXPERIMENT' : 'E_FILE';
    throw new SplitgrowError(code, `experiment ${file}: expected a readable file; ${reasonOf(cause)}`, {
      cause,
    });
  }
  return experimentJson(text, `experiment ${file}`);
}

/** Reads and checks an experiment file, which may have comments; `overrides` are `path=value`. */
export async function readExperiment(
  file: string,
  overrides: readonly string[] = [],
  extensions: Extensions = {},
): Promise<Spec> {
  return parseExperiment(await readExperimentJson(file), overrides, extensions);
}
