// What a format is written from: the graph of a network directory and, read when a format first asks, its weights.

import type { Graph } from '../graph/ir.js';
import type { RunControl } from '../native/events.js';
import type { TensorMap } from '../native/face.js';
import { readGraph, readWeights } from '../train/network.js';

export interface ExportSource {
  readonly directory: string;
  readonly graph: Graph;
  /** Ends what takes long. */
  readonly signal?: AbortSignal | undefined;
  /** Every parameter and statistic, checked against the graph. @throws E_FILE, E_SAFETENSORS, E_WEIGHTS */
  readonly weights: () => Promise<TensorMap>;
}

/** Opens a network directory; needs no addon. @throws E_FILE, E_GRAPH_* */
export async function openSource(directory: string, control: RunControl = {}): Promise<ExportSource> {
  const graph = await readGraph(directory);
  let read: Promise<TensorMap> | null = null;
  return {
    directory,
    graph,
    signal: control.signal,
    weights: () => {
      read ??= readWeights(graph, directory, control);
      return read;
    },
  };
}
