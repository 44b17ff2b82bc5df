// Where a command's network comes from: a network directory, or a preset by name.

import { SplitgrowError } from '../errors.js';
import { parseGraph } from '../graph/check.js';
import type { Graph } from '../graph/ir.js';
import { buildPreset, type PresetOptions, ZOO } from '../models/zoo.js';
import type { Device } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { atResolution } from '../rivals/networks/resolution-multiplier.js';
import { createNetwork, loadNetwork, type Network, readGraph } from '../train/network.js';

export interface NetworkSource {
  readonly network: string;
  readonly width?: number | undefined;
  readonly resolution?: number | undefined;
  readonly preset?: Readonly<Record<string, unknown>> | undefined;
}

export function isPreset(name: string): boolean {
  return Object.hasOwn(ZOO, name);
}

function presetGraph({ network, width, resolution, preset }: NetworkSource): Graph {
  const options = Object.entries({ width, resolution, ...preset }).filter(([, value]) => value !== undefined);
  return buildPreset(network, Object.fromEntries(options) as PresetOptions);
}

/** @throws E_USAGE where options of presets are given with a directory, E_FILE where it is neither */
export async function graphOf(source: NetworkSource): Promise<Graph> {
  if (isPreset(source.network)) return presetGraph(source);
  const given = Object.entries({ width: source.width, ...source.preset }).find(
    ([, value]) => value !== undefined,
  );
  if (given !== undefined) {
    throw new SplitgrowError(
      'E_USAGE',
      `${given[0]}: belongs to a preset (${Object.keys(ZOO).join(', ')}), but the network is the directory ${source.network}; leave it out`,
    );
  }
  const graph = await readGraph(source.network);
  // Every rule is checked again.
  return source.resolution === undefined ? graph : parseGraph(atResolution(graph, source.resolution));
}

/** The network itself: weights from its directory, or fresh ones for a preset. */
export async function networkOfSource(source: NetworkSource, device: Device): Promise<Network> {
  const graph = await graphOf(source);
  if (isPreset(source.network)) return createNetwork(graph, { seed: 0, device });
  using stored = await loadNetwork(source.network, { device });
  return createNetwork(graph, {
    seed: 0,
    device,
    weights: new Map(loadCore().readNetwork(stored.handle, 'weights')),
  });
}
