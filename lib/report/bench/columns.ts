// The columns of the tables of bench splitting, for terminal, Markdown and page alike, and what the plots and tables say in words.

import {
  type Crossover,
  isLeftOut,
  type LeftOut,
  measured,
  type Part,
  type Point,
  type Search,
  type SplittingBenchDocument,
  STEP_NAMES,
  type StepTime,
} from '../../bench/documents.js';
import { bytes, decimal, integer, seconds, significant } from '../../statistics/format.js';

export interface TextColumn<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly isNumber: boolean;
}

export const DASH = '–';
const ms = (step: StepTime | LeftOut): string => (isLeftOut(step) ? DASH : decimal(step.medianMs, 2));
const spent = (search: Search | LeftOut): string => (isLeftOut(search) ? DASH : seconds(search.seconds));
const held = (search: Search | LeftOut): string => (isLeftOut(search) ? DASH : bytes(search.peakBytes));
export const number = <Row>(title: string, cell: (row: Row) => string): TextColumn<Row> => ({
  ...{ title, cell },
  isNumber: true,
});

/** Epochs as a person would say them. */
function epochsText(epochs: number | null): string {
  return epochs === null ? DASH : epochs < 10 ? decimal(epochs, 1) : integer(epochs);
}

/** Counted, and measured steps. */
export const STEP_COLUMNS: readonly TextColumn<Point>[] = [
  number('width', ({ width }) => significant(width, 4)),
  number('neurons', ({ neurons }) => integer(neurons)),
  number('largest d', ({ largestDimension }) => integer(largestDimension)),
  number('MACs', ({ macs }) => integer(macs)),
  number('parameters', ({ params }) => integer(params)),
  number('training step ms', ({ steps }) => ms(steps.trainStep)),
  number('fast step ms', ({ steps }) => ms(steps.rayleighStep)),
  number('authors’ form ms', ({ steps }) => ms(steps.auxiliaryStep)),
  number('exact sums ms', ({ steps }) => ms(steps.exactStep)),
  number('eigensolver ms', ({ steps }) => ms(steps.eigensolver)),
];

/** Seconds scaled from them, and memory measured. */
export const SEARCH_COLUMNS: readonly TextColumn<Point>[] = [
  number('width', ({ width }) => significant(width, 4)),
  number('fast s', ({ searches }) => spent(searches.fast)),
  number('authors’ form s', ({ searches }) => spent(searches.auxiliary)),
  number('exact s', ({ searches }) => spent(searches.exact)),
  number('of it eigensolver s', ({ searches }) =>
    isLeftOut(searches.exact) ? DASH : seconds(searches.exact.eigenSeconds),
  ),
  number('sweeps', ({ searches }) => (isLeftOut(searches.exact) ? DASH : integer(searches.exact.sweeps))),
  number('equal at T', (point) => epochsText(point.equalEpochs)),
  number('fast peak', ({ searches }) => held(searches.fast)),
  number('authors’ form peak', ({ searches }) => held(searches.auxiliary)),
  number('exact peak', ({ searches }) => held(searches.exact)),
];

export const PART_COLUMNS: readonly TextColumn<Part>[] = [
  number('layers', ({ chains }) => integer(chains)),
  number('neurons', ({ neurons }) => integer(neurons)),
  number('fast s', ({ fast }) => spent(fast)),
  number('exact s', ({ exact }) => spent(exact)),
  number('fast peak', ({ fast }) => held(fast)),
  number('exact peak', ({ exact }) => held(exact)),
];

const STEP_WORDS: Readonly<Record<(typeof STEP_NAMES)[number], string>> = {
  trainStep: 'training step',
  rayleighStep: 'fast step',
  auxiliaryStep: 'authors’ form',
  exactStep: 'exact sums',
  eigensolver: 'eigensolver',
};

/** One line a step that was left out, steps of one reason together. */
function leftOutLines({ points }: SplittingBenchDocument): readonly string[] {
  return points.flatMap(({ width, steps }) => {
    const byReason = new Map<string, string[]>();
    for (const name of STEP_NAMES) {
      const step = steps[name];
      if (!isLeftOut(step)) continue;
      byReason.set(step.leftOut, [...(byReason.get(step.leftOut) ?? []), STEP_WORDS[name]]);
    }
    return [...byReason].map(
      ([reason, names]) => `Width ${significant(width, 4)}, left out: ${names.join(', ')}. ${reason}.`,
    );
  });
}

/** A width or a number of neurons. */
export function placeText(at: number): string {
  return at < 100 ? significant(at) : integer(at);
}

/** One line a width with steps that there was time for only once. */
function onceLines({ points }: SplittingBenchDocument): readonly string[] {
  return points.flatMap(({ width, steps }) => {
    const names = STEP_NAMES.filter((name) => measured(steps[name])?.repeats === 1);
    if (names.length === 0) return [];
    const words = names.map((name) => STEP_WORDS[name]).join(', ');
    return [`Width ${significant(width, 4)}, timed once and cold: ${words}.`];
  });
}

/** Everything that is said below the tables. */
export function noteLines(document: SplittingBenchDocument): readonly string[] {
  return [crossoverLines, checkLines, onceLines, leftOutLines].flatMap((lines) => lines(document));
}

/** What came out along one axis, in a sentence. */
function crossoverText(
  { crossings, range, cheaper }: Crossover,
  { what, place }: { readonly what: string; readonly place: (at: string) => string },
): string {
  if (range === null) return `${what}: both were measured nowhere`;
  if (crossings.length > 0)
    return crossings
      .map(({ at, dearerAbove }) => `${what}: ${dearerAbove} becomes dearer at ${place(placeText(at))}`)
      .join('; ');
  const [low, high] = range.map(placeText);
  const end = cheaper === null ? 'both cost the same' : `${cheaper} is cheaper everywhere`;
  return `${what}: no crossover from ${place(`${low} to ${high}`)}, ${end}`;
}

function crossoverLines({ crossovers, epochs }: SplittingBenchDocument): readonly string[] {
  const width = (at: string): string => `width ${at}`;
  const neurons = (at: string): string => `${at} neurons`;
  const time = `Seconds at T = ${epochs}`;
  return [
    crossoverText(crossovers.timeByWidth, { what: time, place: width }),
    crossoverText(crossovers.timeByNeurons, { what: time, place: neurons }),
    crossoverText(crossovers.memoryByWidth, { what: 'Peak memory', place: width }),
    crossoverText(crossovers.memoryByNeurons, { what: 'Peak memory', place: neurons }),
  ];
}

/** What is measured and what is scaled. */
export function howText({ images, epochs, batch }: SplittingBenchDocument): string {
  return `Milliseconds and memory are measured, on one minibatch of ${batch} synthetic images. Seconds are scaled to whole searches over ${integer(images)} images: fast is ${epochs} epochs x ${integer(Math.ceil(images / batch))} minibatches x its step; exact is minibatches x its sums, of all sweeps that the memory limit asks for, and the eigensolver once.`;
}

/** The whole searches that were measured, beside the scaled ones. */
function checkLines({ check }: SplittingBenchDocument): readonly string[] {
  if (check === null) return [];
  if (isLeftOut(check)) return [`Scaling not checked. ${check.leftOut}.`];
  return check.searches.map(
    ({ method, scaledSeconds, measuredSeconds }) =>
      `Checked at width ${significant(check.width, 4)} over ${integer(check.images)} images, ${method}: measured ${seconds(measuredSeconds)} s, scaled ${seconds(scaledSeconds)} s (${significant(measuredSeconds / scaledSeconds)} times).`,
  );
}

/** Seconds or bytes of a search where there is one. */
export function costOf(search: Search | LeftOut, cost: 'seconds' | 'peakBytes'): number | null {
  return measured(search)?.[cost] ?? null;
}

/** Name of the network with what was asked of it, and where it was timed. */
export function settingText(document: SplittingBenchDocument): string {
  const { network, preset, batch, memoryLimit, timeLimit, seed, device, threads, precision, load } = document;
  const options = Object.entries(preset).map(([name, value]) => `${name} ${value}`);
  return [
    [network, ...options].join(', '),
    `batch ${batch}`,
    `exact sums within ${bytes(memoryLimit)}`,
    `${seconds(timeLimit)} s a width`,
    `seed ${seed}`,
    `${device}, ${threads} thread${threads === 1 ? '' : 's'}, ${precision}`,
    `load average before and after ${decimal(load.before, 1)} and ${decimal(load.after, 1)}`,
  ].join('; ');
}
