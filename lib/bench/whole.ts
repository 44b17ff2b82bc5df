// Whole computations of the indices by every method, as a stage of a run makes them: seconds, passes, distance from exact.
import { isSplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import type { RunControl } from '../native/events.js';
import { type MethodChoice, passWork } from '../split/indices/auto.js';
import { computeIndices, type Indices } from '../split/indices/indices.js';
import { INDEX_DEFAULTS, METHODS, type Method } from '../split/indices/settings.js';
import { seconds as secondsText } from '../statistics/format.js';
import type { Network } from '../train/network.js';
import { distanceOf } from './distance.js';
import { isLeftOut, type LeftOut, measured, type WholeSearch, type WholeSearches } from './documents.js';
import { DOUBT } from './expected.js';
import { median, syntheticData } from './images.js';
import { descentSearch, exactSearch } from './search.js';
import { isOutOfMemory, type Settings, type Timed } from './timing.js';

/** Bytes of images that are held at a time. */
const MOST_BYTES = 256 * 2 ** 20;

/** The methods take turns so often, those that are quick. */
const TURNS = 3;
/** Share of the time limit; a search that took more is not repeated. */
const QUICK_SHARE = 0.1;

export interface WholeOptions {
  readonly settings: Settings;
  readonly control: RunControl;
  /** Told before each search. */
  readonly onSearch?: (() => void) | undefined;
}

/** As many of the images as are held at a time. */
export function heldImages({ input: { shape } }: Graph, images: number): number {
  const bytes = 4 * shape.reduce((product, size) => product * size, 1);
  return Math.min(images, Math.max(1, Math.floor(MOST_BYTES / bytes)));
}

/** Seconds that each search will take: scaled from steps, or as the cost model has it beside a training step. */
function expectedSeconds(
  graph: Graph,
  { steps, sweeps }: Timed,
  { work }: MethodChoice,
  settings: Settings,
): Readonly<Record<Method, number | LeftOut>> {
  const extent = { ...settings, images: settings.wholeImages };
  const ofSearch = (search: { readonly seconds: number } | LeftOut): number | LeftOut =>
    isLeftOut(search) ? search : search.seconds;
  const training = steps.trainStep;
  const modelled = (units: number): number | LeftOut =>
    isLeftOut(training)
      ? training
      : (units * training.medianMs) / (1000 * settings.batch * passWork(graph, 3) * DOUBT);
  return {
    exact: ofSearch(exactSearch(steps, extent, sweeps)),
    rayleigh: ofSearch(descentSearch(steps.rayleighStep, extent)),
    lobpcg: modelled(work.lobpcg),
    auto: modelled(work.chosen),
  };
}

interface Tally {
  readonly seconds: number[];
  readonly chains: Indices['chains'];
}

const timeReason = (limit: number, found: string): LeftOut => ({
  leftOut: `time: the whole search ${found}, the limit is ${secondsText(limit)} s`,
});

function withinLimit(expected: number | LeftOut, limit: number): LeftOut | null {
  if (typeof expected !== 'number') return expected;
  return expected <= limit ? null : timeReason(limit, `would take about ${secondsText(expected)} s`);
}

function wholeOf(
  { seconds, chains }: Tally,
  exact: Tally | LeftOut | undefined,
  sweeps: number,
): WholeSearch {
  const distance = exact === undefined || isLeftOut(exact) ? null : distanceOf(exact.chains, chains);
  return {
    seconds: median(seconds),
    repeats: seconds.length,
    passes: Math.max(0, ...chains.map(({ method, epochs }) => (method === 'exact' ? sweeps : epochs))),
    above: chains.reduce((sum, chain) => sum + chain.above, 0),
    distance: distance?.ofLayer ?? null,
    worst: distance?.ofNeuron ?? null,
  };
}

/**
 * All methods over `settings.wholeImages` images, in turns. A search that would take longer than the time limit, or does,
 * is left out.
 */
export async function measureWholes(
  network: Network,
  { timed, choice }: { readonly timed: Timed; readonly choice: MethodChoice },
  { settings, control, onSearch }: WholeOptions,
): Promise<WholeSearches> {
  const { batch, device, seed, epochs, memoryLimit, timeLimit, wholeImages: images } = settings;
  const expected = expectedSeconds(network.graph, timed, choice, settings);
  using data = await syntheticData(network.graph, images, device, { seed });
  const found = new Map<Method, Tally | LeftOut>();
  const search = async (method: Method): Promise<void> => {
    const before = found.get(method);
    const reason = before === undefined ? withinLimit(expected[method], timeLimit) : null;
    if (reason !== null) found.set(method, reason);
    if (reason !== null || (before !== undefined && isLeftOut(before))) return;
    if (before !== undefined && Math.min(...before.seconds) > QUICK_SHARE * timeLimit) return;
    onSearch?.();
    const late = AbortSignal.timeout(Math.min(Math.ceil(1000 * timeLimit), 2 ** 31 - 1));
    const signal = control.signal === undefined ? late : AbortSignal.any([control.signal, late]);
    const request = { ...INDEX_DEFAULTS, method, images, batch, epochs, memoryLimit, seed };
    try {
      const start = performance.now();
      using indices = await computeIndices(network, data, request, { control: { signal } });
      const seconds = (performance.now() - start) / 1000;
      found.set(method, { seconds: [...(before?.seconds ?? []), seconds], chains: indices.chains });
    } catch (error) {
      const isLate = isSplitgrowError(error) && error.code === 'E_ABORTED' && !control.signal?.aborted;
      if (!isLate && !isOutOfMemory(error)) throw error;
      // What an earlier turn took stays.
      if (before !== undefined) return;
      found.set(
        method,
        isLate ? timeReason(timeLimit, 'took longer') : { leftOut: `memory: ${(error as Error).message}` },
      );
    }
  };
  for (let turn = 0; turn < TURNS; turn += 1) for (const method of METHODS) await search(method);
  const of = (method: Method): WholeSearch | LeftOut => {
    const one = found.get(method) ?? { leftOut: 'not asked for' };
    return isLeftOut(one) ? one : wholeOf(one, found.get('exact'), timed.sweeps);
  };
  return { exact: of('exact'), rayleigh: of('rayleigh'), lobpcg: of('lobpcg'), auto: of('auto') };
}

/** Seconds of one of them, where it was measured. */
export function secondsOf(searches: WholeSearches | null, method: Method): number | null {
  const search = searches?.[method];
  return search === undefined ? null : (measured(search)?.seconds ?? null);
}
