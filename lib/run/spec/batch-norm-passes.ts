// Passes in training mode, checked before the first of them: batch norm has no variance of one value a channel.
import { SplitgrowError } from '../../errors.js';
import type { Graph } from '../../graph/ir.js';
import { depthwiseNorms } from '../../graph/readers.js';
import { note } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import { leastImages, minibatches, narrowNorms } from '../../train/minibatches.js';
import type { Spec } from './experiment.js';

const isTrained = ({ fit }: Spec): boolean =>
  [fit.epochs, fit.finish.epochs].flat().some((epochs) => epochs > 0);

/** The minibatches of training. @throws E_EXPERIMENT where batch norm could not take one of them */
export function checkTraining(spec: Spec, graph: Graph, images: number, control: RunControl): void {
  if (!isTrained(spec)) return;
  const { note: said } = minibatches(images, spec.fit, graph);
  if (said !== null) note(control, 0, 'load', said);
}

/** Images of a pass, by the field that says them. */
interface Pass {
  readonly field: string;
  /** Of its smallest minibatch; 0: there is no such pass. */
  readonly images: number;
  readonly norms: readonly string[];
}

/** The passes of growth beside training: statistics estimated anew or taken of minibatches, depthwise batch norms in indices. */
function passesOf({ splitting, fit }: Spec, graph: Graph, indexImages: number): readonly Pass[] {
  const { recalibrateImages, lineSearch, depthwiseBatchNorm, batch } = splitting;
  const norms = narrowNorms(graph);
  const isOnBatches = lineSearch.statistics === 'batch';
  const last = indexImages % batch === 0 ? batch : indexImages % batch;
  const depthwise = depthwiseBatchNorm === 'train' ? depthwiseNorms(graph) : [];
  return [
    { field: 'splitting.recalibrateImages', images: Math.min(recalibrateImages, fit.batch), norms },
    {
      field: 'splitting.lineSearch.images',
      images: isOnBatches ? Math.min(lineSearch.images, fit.batch) : 0,
      norms,
    },
    {
      field: 'splitting.batch',
      images: last,
      norms: depthwise.filter((norm) => norms.includes(norm)),
    },
  ];
}

/** @throws E_EXPERIMENT where a pass of growth would show batch norm too few images, naming the field */
export function checkGrowth(spec: Spec, graph: Graph, indexImages: number): void {
  const least = leastImages(graph);
  for (const { field, images, norms } of passesOf(spec, graph, indexImages)) {
    if (norms.length === 0 || images === 0 || images >= least) continue;
    throw new SplitgrowError(
      'E_EXPERIMENT',
      `${field}: batch norm "${norms[0]}" needs ${least} images or more in every minibatch, as it has one value a channel and image; one minibatch would be of ${images} (fit.batch ${spec.fit.batch}, ${indexImages} images of the indices)`,
    );
  }
}
