// Export as a picture: DOT text, or the SVG that Graphviz makes of it. No weights are read.
import { writeFileAtomic } from '../machine/files/atomic.js';
import { dotOf } from './dot.js';
import type { ExportSource } from './source.js';
import { svgOf } from './svg.js';

/** A picture that was written. */
export interface PictureExport {
  readonly file: string;
  /** Nodes of the network in it. */
  readonly nodes: number;
}

/** @throws E_WRITE */
export async function exportDot({ graph }: ExportSource, file: string): Promise<PictureExport> {
  await writeFileAtomic(file, dotOf(graph));
  return { file, nodes: graph.nodes.length };
}

/** @throws E_ARGUMENT for networks that are too large to be laid out here, E_ABORTED, E_WRITE */
export async function exportSvg({ graph, signal }: ExportSource, file: string): Promise<PictureExport> {
  await writeFileAtomic(file, await svgOf(graph, signal));
  return { file, nodes: graph.nodes.length };
}
