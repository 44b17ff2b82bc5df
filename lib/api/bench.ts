// bench: times of a training step, of the splitting steps and of a forward pass, on synthetic images.
import { median, syntheticData } from '../bench/images.js';
import { SplitgrowError } from '../errors.js';
import { NOWHERE, underControl } from '../native/control.js';
import { type BenchResult, loadCore } from '../native/core.js';
import type { RunControl } from '../native/events.js';
import { withThreads } from '../native/threads.js';
import { watched } from '../native/watched.js';
import { networkOfSource } from '../run/network-source.js';
import { precisionOn } from '../train/precision.js';
import type { BenchDocument, BenchOptions, Timing } from './documents.js';

const REPEATS = 10;
const WARMUP = 3;

const timing = ({ milliseconds }: BenchResult): Timing => ({ medianMs: median(milliseconds) });

function checkCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `bench: expected ${name} to be a whole number of 1 or more, got ${value}`,
  );
}

/** Medians of each step over one synthetic minibatch, after warm-up. */
export async function bench(options: BenchOptions, control: RunControl = {}): Promise<BenchDocument> {
  return watched(control, (own) => withThreads(options.threads, () => timed(options, own)));
}

async function timed(options: BenchOptions, control: RunControl): Promise<BenchDocument> {
  const { batchSize: batch, repeats = REPEATS, device = 'cpu' } = options;
  const precision = precisionOn(device, options.precision ?? 'float32');
  checkCount('batchSize', batch);
  checkCount('repeats', repeats);
  using network = await networkOfSource(options, device);
  using data = await syntheticData(network.graph, batch, device);
  const time = (what: 'train' | 'forward' | 'rayleigh' | 'auxiliary' | 'exact'): Promise<BenchResult> =>
    underControl(control, { ...NOWHERE, phase: 'bench' }, (_progress, abort) =>
      loadCore().bench(network.handle, data, { what, batch, repeats, warmup: WARMUP, precision }, abort),
    );
  const trainStep = await time('train');
  const rayleighStep = await time('rayleigh');
  const auxiliaryStep = await time('auxiliary');
  const exactStep = await time('exact');
  const forward = await time('forward');
  return {
    trainStep: timing(trainStep),
    rayleighStep: timing(rayleighStep),
    auxiliaryStep: timing(auxiliaryStep),
    exactStep: timing(exactStep),
    forward: timing(forward),
    peakBytes: trainStep.peakBytes,
    peakBytesRayleigh: rayleighStep.peakBytes,
    threads: loadCore().features().threads,
    device,
    precision,
  };
}
