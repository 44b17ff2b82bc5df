// bench: times of a training step, of the splitting steps and of a forward pass, on synthetic images.
import { median, syntheticData } from '../bench/images.js';
import { SplitgrowError } from '../errors.js';
import { NOWHERE, underControl } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { BenchResult, Device, Precision } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { withThreads } from '../native/threads.js';
import { watched } from '../native/watched.js';
import { networkOfSource } from '../run/network-source.js';
import { INDEX_DEFAULTS } from '../split/indices/settings.js';
import { precisionOn } from '../train/precision.js';

/** What `bench` times. */
export interface BenchOptions {
  /** A network directory or the name of a preset. */
  readonly network: string;
  /** Images of the minibatch that is timed. */
  readonly batchSize: number;
  /** Width multiplier of a preset. */
  readonly width?: number | undefined;
  /** Pixels a side of a preset. */
  readonly resolution?: number | undefined;
  /** Further options of a preset. */
  readonly preset?: Readonly<Record<string, unknown>> | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Timed repetitions of each step; default 10. */
  readonly repeats?: number | undefined;
  /** Of the training step; splitting steps and evaluation are float32 in any case. Default: float32. */
  readonly precision?: Precision | 'auto' | undefined;
}
/** One timed step. */
export interface Timing {
  /** Median, in milliseconds. */
  readonly medianMs: number;
}
/** What `bench` prints. */
export interface BenchDocument {
  /** Forward, backward and update. */
  readonly trainStep: Timing;
  /** A step of the Rayleigh descent, closed form. */
  readonly rayleighStep: Timing;
  /** The same by an auxiliary activation and autodiff. */
  readonly auxiliaryStep: Timing;
  /** A minibatch of the exact splitting matrices. */
  readonly exactStep: Timing;
  /** A forward pass in evaluation mode. */
  readonly forward: Timing;
  /** Peak of tensor memory during a training step, above what was held before it. */
  readonly peakBytes: number;
  /** Likewise, during a Rayleigh step. */
  readonly peakBytesRayleigh: number;
  /** Threads that computed. */
  readonly threads: number;
  /** Where it ran. */
  readonly device: Device;
  /** Of the training step; the other steps are in float32. */
  readonly precision: Precision;
  /** Loops of the CPU engine that ran float32 steps: avx512, avx2 or baseline; empty where LibTorch ran all. */
  readonly engine: string;
  /** Its loops that multiplied bfloat16: avx512_bf16; empty where LibTorch did, or the training step is in float32. */
  readonly narrowEngine: string;
  /** Ops of the network that the engine left to LibTorch. */
  readonly byLibTorch: readonly string[];
}

const REPEATS = 10;
const WARMUP = 3;
const { memoryLimit } = INDEX_DEFAULTS;

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
      loadCore().bench(
        network.handle,
        data,
        { what, batch, repeats, warmup: WARMUP, precision, memoryLimit },
        abort,
      ),
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
    engine: trainStep.engine,
    narrowEngine: precision === 'bfloat16' && device === 'cpu' ? loadCore().features().bfloat16.engine : '',
    byLibTorch: trainStep.byLibTorch,
  };
}
