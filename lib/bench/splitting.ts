// bench splitting: Figure 5 (b) of the paper at any size. Exact against fast splitting, time and memory, against the width.

import { loadavg } from 'node:os';
import { isSplitgrowError, SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import { note, refuseAborted } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import { loadCore } from '../native/load.js';
import { withThreads } from '../native/threads.js';
import { describeMachine } from '../run/store/machine.js';
import { seconds as secondsText } from '../statistics/format.js';
import { checkScaling } from './check.js';
import { crossoversOf } from './crossover.js';
import { FORMAT, isLeftOut, type Point, type SplittingBenchDocument } from './documents.js';
import { noExperience } from './expected.js';
import { graphsAt, widthsOf } from './networks.js';
import { type Given, type SplittingBenchOptions, withDefaults } from './options.js';
import { measureParts, measurePoint, partSizes } from './point.js';
import type { Settings } from './timing.js';
import { heldImages } from './whole.js';

const isWhole = ({ searches: { fast, exact } }: Point): boolean => !isLeftOut(fast) && !isLeftOut(exact);

interface Measured {
  readonly points: Point[];
  parts: SplittingBenchDocument['parts'];
  check: SplittingBenchDocument['check'];
  isComplete: boolean;
}

interface Job {
  readonly given: Given;
  readonly widths: readonly number[];
  readonly graphs: readonly Graph[];
  readonly settings: Settings;
  readonly control: RunControl;
  readonly measured: Measured;
  readonly started: number;
  /** Average load before it. */
  readonly load: number;
  /** Keeps what there is so far. */
  readonly write: WriteDocument;
}

/** Takes the document as far as it has come. */
type WriteDocument = (document: SplittingBenchDocument) => Promise<unknown>;

const loadNow = (): number => loadavg()[0] ?? 0;

function documentOf({ given, widths, settings, measured, started, load }: Job): SplittingBenchDocument {
  const { network, resolution, preset = {} } = given;
  const { images, wholeImages, epochs, batch, memoryLimit, timeLimit, seed, device, threads } = settings;
  const { points, parts, check, isComplete } = measured;
  return {
    format: FORMAT,
    isComplete,
    network,
    preset: { ...(resolution === undefined ? {} : { resolution }), ...preset },
    ...{ widths, images, wholeImages, epochs, batch, memoryLimit, timeLimit, seed, device, threads },
    precision: 'float32',
    machine: Object.fromEntries(describeMachine()),
    load: { before: load, after: loadNow() },
    seconds: (performance.now() - started) / 1000,
    ...{ points, parts, check },
    crossovers: crossoversOf(points),
  };
}

async function keep(job: Job): Promise<SplittingBenchDocument> {
  const document = documentOf(job);
  await job.write(document);
  return document;
}

/** Tells how far the whole is: units of work are widths, parts, check. */
function progressOf({ given, widths, control, started }: Job): (unit: number, within: number) => void {
  const total = widths.length + (given.parts > 0 ? 1 : 0) + (given.checkSeconds > 0 ? 1 : 0);
  return (unit, within) =>
    control.onEvent?.({
      type: 'progress',
      ...{ stage: 0, phase: 'bench', epoch: 0, epochs: 1 },
      progress: {
        phase: 'bench',
        done: unit + Math.min(within, 0.99),
        ...{ total, images: 0, seconds: (performance.now() - started) / 1000, loss: Number.NaN },
      },
    });
}

function pointText({ width, neurons, searches: { fast, exact } }: Point): string {
  const text = (search: typeof fast): string =>
    isLeftOut(search) ? `left out (${search.leftOut})` : `${secondsText(search.seconds)} s`;
  return `width ${width}, ${neurons} neurons: fast ${text(fast)}, exact ${text(exact)}`;
}

/** Told while a point is timed, about: five steps, first alone and then in three rounds, and four whole searches. */
const STEPS_A_POINT = 24;

async function measureAll(job: Job): Promise<void> {
  const { given, widths, graphs, settings, control, measured } = job;
  const tell = progressOf(job);
  const experience = noExperience();
  let unit = 0;
  for (const [i, width] of widths.entries()) {
    const graph = graphs[i];
    if (graph === undefined) continue;
    let steps = 0;
    const onStep = (): void => tell(i, steps++ / STEPS_A_POINT);
    const point = await measurePoint({ width, graph }, { settings, experience, control, onStep });
    measured.points.push(point);
    note(control, 0, 'bench', pointText(point));
    await keep(job);
    unit = i + 1;
  }
  const wholes = measured.points.filter(isWhole);
  const graphAt = (width: number): Graph | undefined => graphs[widths.indexOf(width)];
  const [narrowest, widest] = [wholes[0], wholes.at(-1)];
  const wideGraph = widest && graphAt(widest.width);
  if (given.parts > 0 && widest !== undefined && wideGraph !== undefined) {
    let done = 0;
    const all = partSizes(widest.chains, given.parts).length;
    const onPart = (): void => tell(unit, done++ / all);
    const points = await measureParts(wideGraph, given.parts, { settings, experience, control, onPart });
    measured.parts = { width: widest.width, points };
    await keep(job);
    unit += 1;
  }
  const narrowGraph = narrowest && graphAt(narrowest.width);
  if (given.checkSeconds > 0 && narrowest !== undefined && narrowGraph !== undefined) {
    tell(unit, 0);
    const limits = { limit: given.checkSeconds, control };
    measured.check = await checkScaling({ point: narrowest, graph: narrowGraph }, settings, limits);
  }
  measured.isComplete = true;
}

function stopped({ given, widths, measured }: Job, cause: unknown): unknown {
  if (!isSplitgrowError(cause) || cause.code !== 'E_ABORTED' || given.out === undefined) return cause;
  const text = `the work was aborted; ${measured.points.length} of ${widths.length} widths are in ${given.out}`;
  return new SplitgrowError('E_ABORTED', text, { cause });
}

/**
 * Times the steps of exact and fast at every width and scales them to whole searches, and times whole searches by every
 * method. `write` gets the document before the
 * first width, after each one, and at the end.
 *
 * @throws E_ARGUMENT, E_PRESET, E_FILE, E_GRAPH_*, E_DEVICE, E_ABORTED, and what `write` throws
 */
export async function timeSplitting(
  options: SplittingBenchOptions,
  control: RunControl,
  write: WriteDocument,
): Promise<SplittingBenchDocument> {
  return withThreads(options.threads, () => timed(withDefaults(options), control, write));
}

async function timed(
  given: Given,
  control: RunControl,
  write: WriteDocument,
): Promise<SplittingBenchDocument> {
  refuseAborted(control);
  const widths = widthsOf(given);
  const graphs = await graphsAt(given, widths);
  const { threads } = loadCore().features();
  const { images, epochs, memoryLimit, timeLimit, repeats, seed, device } = given;
  const batch = Math.min(given.batchSize, images);
  const asked = Math.min(given.wholeImages, images);
  const wholeImages = graphs[0] === undefined ? asked : heldImages(graphs[0], asked);
  const job: Job = {
    ...{ given, widths, graphs, control, write },
    settings: { images, wholeImages, epochs, batch, memoryLimit, timeLimit, repeats, seed, device, threads },
    measured: { points: [], parts: null, check: null, isComplete: false },
    started: performance.now(),
    load: loadNow(),
  };
  try {
    // A folder that cannot be written to is found out before the work.
    await keep(job);
    await measureAll(job);
    return await keep(job);
  } catch (error) {
    throw stopped(job, error);
  }
}
