// One width of bench splitting: its steps timed, searches scaled from them, whole ones timed, and what `auto` chooses.
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { keptOf, type MethodChoice, weighMethods } from '../split/indices/auto.js';
import { INDEX_DEFAULTS, imagesOf } from '../split/indices/settings.js';
import { createNetwork } from '../train/network.js';
import type {
  AutoGuess,
  ExactSearch,
  LeftOut,
  Part,
  Point,
  Search,
  Searches,
  WholeSearches,
} from './documents.js';
import { noExperience } from './expected.js';
import { syntheticData } from './images.js';
import { sizesOf } from './networks.js';
import { descentSearch, equalEpochs, exactSearch } from './search.js';
import { type Settings, type Subject, type Timed, type TimingOptions, timeSteps } from './timing.js';
import { measureWholes, secondsOf } from './whole.js';

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

/** `searches`: the whole ones, where they were asked for. */
function guessOf(graph: Graph, { methods, work }: MethodChoice, searches: WholeSearches | null): AutoGuess {
  const [exact, lobpcg, auto] = (['exact', 'lobpcg', 'auto'] as const).map((method) =>
    secondsOf(searches, method),
  );
  const best = Math.min(exact ?? Number.POSITIVE_INFINITY, lobpcg ?? Number.POSITIVE_INFINITY);
  const exactLayers = methods.filter((method) => method === 'exact').length;
  return {
    layers: Object.fromEntries(lower(graph).chains.map(({ id }, i) => [id, methods[i] ?? 'exact'])),
    exactLayers,
    lobpcgLayers: methods.length - exactLayers,
    expectedRatio: work.exact / work.lobpcg,
    foundRatio: typeof exact === 'number' && typeof lobpcg === 'number' ? exact / lobpcg : null,
    overBest: typeof auto === 'number' && Number.isFinite(best) ? auto / best : null,
  };
}

function searchesOf({ steps, sweeps }: Timed, settings: Settings): Searches {
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
  const searches = searchesOf(timed, settings);
  const images = settings.wholeImages || imagesOf('auto', null, settings.images);
  const kept = keptOf(network, { images });
  const choice = weighMethods(graph, { ...settings, images, passes: INDEX_DEFAULTS.passes, kept });
  const { control, onStep } = options;
  const wholes =
    settings.wholeImages === 0
      ? null
      : await measureWholes(network, { timed, choice }, { settings, control, onSearch: onStep });
  return {
    width,
    ...sizesOf(graph),
    steps: timed.steps,
    searches,
    equalEpochs: equalEpochs(searches, settings.epochs),
    wholes,
    auto: guessOf(graph, choice, wholes),
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
