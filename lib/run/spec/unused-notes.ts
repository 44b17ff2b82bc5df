// Notes on the settings of an experiment that have no effect: told, never dropped.
import { note } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import { CHECKPOINT } from './checkpoint.js';
import { dataSchema } from './data.js';
import { DELIVER } from './deliver.js';
import type { CheckpointSpec, DataSpec, FitSpec, Spec, SplittingSpec } from './experiment.js';
import { FIT } from './fit.js';
import { isOfRecipe } from './recipes.js';
import { SPLITTING } from './splitting.js';
import { UNUSED, type Use } from './unused.js';

type Json = Readonly<Record<string, unknown>>;
const isPart = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is different from `usual`, by paths. */
function changed(value: unknown, usual: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (isPart(value))
    return Object.entries(value).flatMap(([name, inner]) =>
      changed(inner, isPart(usual) ? usual[name] : undefined, path === '' ? name : `${path}.${name}`),
    );
  return JSON.stringify(value) === JSON.stringify(usual) ? [] : [[path, value]];
}

/** Settings with every default, for the same kinds of data and schedule. */
function usualOf({ data, fit }: Spec): Json {
  const kind = 'file' in data ? { file: data.file } : { name: data.name };
  const size = 'resolution' in data ? { resolution: data.resolution } : {};
  const usual: { data: DataSpec; fit: FitSpec; splitting: SplittingSpec; checkpoint: CheckpointSpec } = {
    data: dataSchema(kind).parse({ ...kind, ...size }),
    fit: FIT.parse({
      epochs: fit.epochs,
      schedule: { kind: 'kind' in fit.schedule ? fit.schedule.kind : 'steps' },
    }),
    splitting: SPLITTING.parse({}),
    checkpoint: CHECKPOINT.parse({}),
  };
  return {
    ...usual,
    fit: { ...usual.fit, epochs: FIT.parse({}).epochs },
    ...{ stop: {}, deliver: DELIVER.parse({}), compare: [] },
  };
}

const isWithin = (path: string, part: string): boolean => path === part || path.startsWith(`${part}.`);

/** What a note should say, one text a reason. A field that has its default is none: dropping it changes nothing. */
export function unusedSettings(use: Use): readonly string[] {
  const { data, fit, splitting, stop, deliver, compare, checkpoint } = use.spec;
  const given = { data, fit, splitting, stop, deliver, compare, checkpoint };
  const set = changed(given, usualOf(use.spec), '').filter(
    ([path, value]) => !isOfRecipe(use.spec.recipe, path, value),
  );
  const told = new Set<string>();
  return UNUSED.flatMap(({ fields, because, isWhole = false }) => {
    const reason = because(use);
    if (reason === null) return [];
    const found = fields.flatMap((part) => {
      const inside = set.filter(([path]) => isWithin(path, part) && !told.has(path));
      for (const [path] of inside) told.add(path);
      if (inside.length === 0) return [];
      return isWhole ? [part] : inside.map(([path, value]) => `${path} ${JSON.stringify(value)}`);
    });
    return found.length > 0 ? [`not used: ${found.join(', ')}; ${reason}`] : [];
  });
}

/** Tells the settings that have no effect. */
export function noteUnused(use: Use, control: RunControl): void {
  for (const text of unusedSettings(use)) note(control, 0, 'load', text);
}
