// Two whole searches, run as a growth run runs them, beside what scaling the steps of their network gives.

import type { Graph } from '../graph/ir.js';
import type { RunControl } from '../native/events.js';
import { computeIndices } from '../split/indices/indices.js';
import { INDEX_DEFAULTS } from '../split/indices/settings.js';
import { createNetwork } from '../train/network.js';
import type { Check, CheckedSearch, LeftOut, Point } from './documents.js';
import { isLeftOut } from './documents.js';
import { syntheticData } from './images.js';
import { descentSearch, type Extent, exactSearch, minibatches } from './search.js';
import type { Settings } from './timing.js';

/** Bytes of images that are held for it. */
const MOST_BYTES = 256 * 2 ** 20;

/** Whole minibatches, as many as both searches get through in `limit` seconds; 0 where there is not time for one. */
export function checkedMinibatches(
  perMinibatch: number,
  once: number,
  { limit, most }: { readonly limit: number; readonly most: number },
): number {
  return Math.max(0, Math.min(most, Math.floor((limit - once) / perMinibatch)));
}

function imageBytes({ input: { shape } }: Graph): number {
  return 4 * shape.reduce((product, size) => product * size, 1);
}

/** Fast and exact search of a measured point's network, over as many of the images as `limit` seconds allow. */
export async function checkScaling(
  { point, graph }: { readonly point: Point; readonly graph: Graph },
  settings: Settings,
  { limit, control }: { readonly limit: number; readonly control: RunControl },
): Promise<Check | LeftOut> {
  const { batch, device, seed, epochs, memoryLimit } = settings;
  const { fast, exact } = point.searches;
  if (isLeftOut(fast)) return fast;
  if (isLeftOut(exact)) return exact;
  const all = minibatches(settings);
  const count = checkedMinibatches((fast.seconds + exact.matricesSeconds) / all, exact.eigenSeconds, {
    limit,
    most: Math.min(all, Math.floor(MOST_BYTES / (batch * imageBytes(graph)))),
  });
  if (count === 0) return { leftOut: `time: not one minibatch of both searches in ${limit} s` };
  const extent: Extent = { images: count * batch, epochs, batch };
  const scaled = {
    fast: descentSearch(point.steps.rayleighStep, extent),
    exact: exactSearch(point.steps, extent, exact.sweeps),
  };
  using network = createNetwork(graph, { seed, device });
  using data = await syntheticData(graph, extent.images, device, { seed, distinct: batch });
  const searches: CheckedSearch[] = [];
  for (const [method, native] of [['fast', 'rayleigh'] as const, ['exact', 'exact'] as const]) {
    const expected = scaled[method];
    if (isLeftOut(expected)) return expected;
    // No further rounds: the whole search that is scaled has as many epochs as asked for.
    const request = { ...INDEX_DEFAULTS, ...extent, mostEpochs: epochs, method: native, memoryLimit, seed };
    using found = await computeIndices(network, data, request, { control: { signal: control.signal } });
    searches.push({ method, scaledSeconds: expected.seconds, measuredSeconds: found.seconds });
  }
  return { width: point.width, images: extent.images, epochs, searches };
}
