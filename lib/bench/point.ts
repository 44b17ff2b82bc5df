// One width of bench splitting: its steps timed, whole searches scaled from them, and what `auto` makes of it.
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { keptOf, type MethodChoice, weighMethods } from '../split/indices/auto.js';
import { INDEX_DEFAULTS } from '../split/indices/settings.js';
import { createNetwork } from '../train/network.js';
import {
  type AutoGuess,
  type ExactSearch,
  type LeftOut,
  measured,
  type Part,
  type Point,
  type Search,
  type Searches,
} from './documents.js';
import { noExperience } from './expected.js';
import { syntheticData } from './images.js';
import { sizesOf } from './networks.js';
import { descentSearch, type Extent, equalEpochs, exactSearch, mixedSearch } from './search.js';
import { type Limits, type Subject, type Timed, type TimingOptions, timeSteps } from './timing.js';

export interface Settings extends Extent, Limits {
  readonly seed: number;
}
type Options = Omit<TimingOptions, 'limits'> & { readonly settings: Settings };

/** Both methods on the chains given, timed apart from a whole network. */
async function searchesOn(
  subject: Subject,
  chains: readonly boolean[],
  steps: NonNullable<Subject['steps']>,
  { settings, ...options }: Options,
): Promise<{ readonly fast: Search | LeftOut; readonly exact: ExactSearch | LeftOut }> {
  const timed = await timeSteps(
    { ...subject, chains, steps },
    { ...options, limits: settings, experience: noExperience() },
  );
  return {
    fast: descentSearch(timed.steps.rayleighStep, settings),
    exact: exactSearch(timed.steps, settings, timed.sweeps),
  };
}

/** A pass of lobpcg has the products of a Rayleigh step in every minibatch, and that many passes stand for epochs. */
const asPasses = (settings: Settings): Settings => ({ ...settings, epochs: INDEX_DEFAULTS.passes });

/** Where all layers are exact, that search is auto's; else each method is timed on its own layers. */
async function autoSearch(
  subject: Subject,
  { methods }: MethodChoice,
  { steps, exact }: Pick<Searches, 'exact'> & Pick<Timed, 'steps'>,
  options: Options,
): Promise<Search | LeftOut> {
  const isExact = methods.map((method) => method === 'exact');
  const settings = asPasses(options.settings);
  if (!isExact.includes(true)) return descentSearch(steps.rayleighStep, settings);
  if (!isExact.includes(false)) return exact;
  const others = isExact.map((one) => !one);
  return mixedSearch(
    (await searchesOn(subject, isExact, ['exactStep', 'eigensolver'], options)).exact,
    (await searchesOn(subject, others, ['rayleighStep'], { ...options, settings })).fast,
  );
}

/** The cost model's exact over fast. */
function expectedRatio(graph: Graph, settings: Settings): number {
  const { work } = weighMethods(graph, { ...settings, passes: settings.epochs, kept: [] });
  return work.exact / work.descent;
}

function guessOf(
  graph: Graph,
  { methods }: MethodChoice,
  { searches, settings }: { readonly searches: Searches; readonly settings: Settings },
): AutoGuess {
  const [fast, exact, auto] = [searches.fast, searches.exact, searches.auto].map(
    (search) => measured(search)?.seconds ?? null,
  );
  const best = Math.min(fast ?? Number.POSITIVE_INFINITY, exact ?? Number.POSITIVE_INFINITY);
  const exactLayers = methods.filter((method) => method === 'exact').length;
  return {
    layers: Object.fromEntries(lower(graph).chains.map(({ id }, i) => [id, methods[i] ?? 'exact'])),
    exactLayers,
    lobpcgLayers: methods.length - exactLayers,
    expectedRatio: expectedRatio(graph, settings),
    foundRatio: typeof fast === 'number' && typeof exact === 'number' ? exact / fast : null,
    overBest: typeof auto === 'number' && Number.isFinite(best) ? auto / best : null,
  };
}

function searchesOf({ steps, sweeps }: Timed, settings: Settings): Omit<Searches, 'auto'> {
  return {
    fast: descentSearch(steps.rayleighStep, settings),
    auxiliary: descentSearch(steps.auxiliaryStep, settings),
    exact: exactSearch(steps, settings, sweeps),
  };
}

/** Everything about one width. */
export async function measurePoint(
  { width, graph }: { readonly width: number; readonly graph: Graph },
  options: Options,
): Promise<Point> {
  const { settings } = options;
  const { batch, device, seed } = settings;
  using network = createNetwork(graph, { seed, device });
  using data = await syntheticData(graph, batch, device, { seed });
  const timed = await timeSteps({ network, data }, { ...options, limits: settings });
  const alone = searchesOf(timed, settings);
  const kept = keptOf(network, settings);
  const choice = weighMethods(graph, { ...settings, passes: INDEX_DEFAULTS.passes, kept });
  const searches = {
    ...alone,
    auto: await autoSearch({ network, data }, choice, { ...alone, steps: timed.steps }, options),
  };
  return {
    width,
    ...sizesOf(graph),
    steps: timed.steps,
    searches,
    equalEpochs: equalEpochs(searches, settings.epochs),
    auto: guessOf(graph, choice, { searches, settings }),
  };
}

/** `parts` numbers of chains at about equal distances, the last of them all. */
export function partSizes(chains: number, parts: number): readonly number[] {
  const sizes = Array.from({ length: parts }, (_, i) => Math.ceil((chains * (i + 1)) / parts));
  return [...new Set(sizes)].filter((size) => size > 0);
}

/** Both methods on the first chains of a network, more and more of them. */
export async function measureParts(
  graph: Graph,
  parts: number,
  options: Options & { readonly onPart?: () => void },
): Promise<readonly Part[]> {
  const { batch, device, seed, timeLimit } = options.settings;
  const { chains } = lower(graph);
  // All parts together have the time of one width.
  const settings = { ...options.settings, timeLimit: timeLimit / parts };
  using network = createNetwork(graph, { seed, device });
  using data = await syntheticData(graph, batch, device, { seed });
  const found: Part[] = [];
  for (const size of partSizes(chains.length, parts)) {
    options.onPart?.();
    const here = chains.map((_, i) => i < size);
    const steps = ['rayleighStep', 'exactStep', 'eigensolver'] as const;
    found.push({
      chains: size,
      neurons: chains.slice(0, size).reduce((sum, { neurons }) => sum + neurons, 0),
      ...(await searchesOn({ network, data }, here, steps, { ...options, settings })),
    });
  }
  return found;
}
