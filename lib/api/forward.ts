// forward: logits of a batch file.
import { writeSafetensors } from '../data/safetensors.js';
import { SplitgrowError } from '../errors.js';
import { refuseAborted } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { Device } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { withThreads } from '../native/threads.js';
import { watched } from '../native/watched.js';
import { isFiniteTensor, loadNetwork } from '../train/network.js';
import { loadBatch } from './batch.js';

/** Which network `forward` runs, on which images. */
export interface ForwardOptions {
  /** A network directory. */
  readonly network: string;
  /** Safetensors file with `images` float32 [N, C, H, W], normalised already, and `labels` int64 [N]. */
  readonly batch: string;
  /** Safetensors file to write `logits` to. */
  readonly out?: string | undefined;
  /** Default eval; train takes batch norm's statistics from the batch (and leaves the network as it is). */
  readonly mode?: 'eval' | 'train' | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
}
/** What `forward` prints. */
export interface ForwardDocument {
  /** [N, classes]. */
  readonly logits: readonly (readonly number[])[];
}

/** Images a minibatch in evaluation mode, where it changes nothing but the memory. */
const EVAL_BATCH = 256;

/**
 * Logits for a batch file; written to `out` where it is given. In train mode the whole file is one minibatch.
 *
 * @throws E_BATCH, E_LABELS, E_NOT_FINITE; E_ABORTED before the pass or after it, and then nothing is written
 */
export async function forward(options: ForwardOptions, control: RunControl = {}): Promise<ForwardDocument> {
  return watched(control, (own) => withThreads(options.threads, () => passed(options, own)));
}

async function passed(options: ForwardOptions, control: RunControl): Promise<ForwardDocument> {
  const device = options.device ?? 'cpu';
  const mode = options.mode ?? 'eval';
  using network = await loadNetwork(options.network, { device, control });
  const { data, count } = await loadBatch(options.batch, network.graph, device);
  using images = data;
  refuseAborted(control);
  const batch = mode === 'train' ? count : Math.min(count, EVAL_BATCH);
  const logits = await loadCore().forward(network.handle, images, { mode, batch });
  refuseAborted(control);
  if (!isFiniteTensor(logits)) {
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `forward: network "${network.graph.name}" gives logits that are not finite`,
    );
  }
  if (options.out !== undefined) await writeSafetensors(options.out, new Map([['logits', logits]]));
  const classes = logits.shape[1] ?? 0;
  const values = new Float32Array(logits.data.slice().buffer);
  return {
    logits: Array.from({ length: count }, (_, i) => [...values.subarray(i * classes, (i + 1) * classes)]),
  };
}
