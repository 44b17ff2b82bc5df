// Recipes: defaults by a name, for the fields that an experiment leaves out. One table.
import { isRecord } from '../../machine/files/json.js';
import type { FitInput, SplittingInput } from './experiment-input.js';

/** Defaults other than the schema's. */
interface Recipe {
  readonly fit?: FitInput;
  readonly splitting?: SplittingInput;
}

/**
 * `paper`: the schema's defaults, those of arXiv 1910.03103. `growth`: one constant rate while the network grows in short
 * stages, and one fall of it at the final size (FRAGrow; AutoGrow, arXiv 1906.02909: grow after few epochs), offspring that part
 * by unequal outgoing weights. Departs from the paper in every field that it names.
 */
export const RECIPES = {
  paper: {},
  growth: {
    fit: {
      ...{ batch: 64, epochs: 3 },
      optimizer: { learningRate: 0.4 },
      schedule: { kind: 'constant' },
      finish: { epochs: 19, decay: 6, stages: 'last' },
    },
    splitting: { method: 'auto', images: 512, epsilon: 0.01, outgoingDelta: 0.4, rescale: 1 },
  },
} as const satisfies Readonly<Record<string, Recipe>>;
export type RecipeName = keyof typeof RECIPES;

type Json = Readonly<Record<string, unknown>>;

/** Objects member by member; anything else is what was given, where something was. */
function filled(given: unknown, usual: unknown): unknown {
  if (given === undefined) return usual;
  if (!isRecord(given) || !isRecord(usual)) return given;
  const names = [...new Set([...Object.keys(given), ...Object.keys(usual)])];
  return Object.fromEntries(names.map((name) => [name, filled(given[name], usual[name])]));
}

/** The defaults of a recipe; none where there is none of that name, which the schema's check tells. */
function recipeOf(name: unknown): Json {
  return typeof name === 'string' && Object.hasOwn(RECIPES, name) ? RECIPES[name as RecipeName] : {};
}

/** An experiment as it was written, with the values of its recipe where it has none. */
export function withRecipe(json: Json): Json {
  return filled(json, recipeOf(json.recipe)) as Json;
}

/** An experiment that holds every value of its version, without its recipe, which may say more by now. */
export function withoutRecipe(json: unknown): unknown {
  if (!isRecord(json)) return json;
  const { recipe: _, ...rest } = json;
  return rest;
}

/** Whether a field has the value that the recipe fills in. */
export function isOfRecipe(name: RecipeName, path: string, value: unknown): boolean {
  const usual = path
    .split('.')
    .reduce<unknown>((part, key) => (isRecord(part) ? part[key] : undefined), recipeOf(name));
  return usual !== undefined && JSON.stringify(usual) === JSON.stringify(value);
}
