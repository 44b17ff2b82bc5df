// The plots of bench splitting: seconds and memory against width and neurons, both axes logarithmic, with the crossover.

import {
  type Crossover,
  isLeftOut,
  type LeftOut,
  type Point,
  type Search,
  type SplittingBenchDocument,
} from '../../bench/documents.js';
import { METHODS, type Method } from '../../split/indices/settings.js';
import { bytes, integer, seconds, significant } from '../../statistics/format.js';
import { type Figure, frame } from '../page/figure.js';
import { heightWith, lines, logAxis, looks, marks } from '../page/series.js';
import { MUTED } from '../page/svg.js';
import { costOf, placeText } from './columns.js';
import { wholeRows } from './wholes.js';

const PLOT_HEIGHT = 260;
const MEBI = 2 ** 20;

type Cost = 'seconds' | 'peakBytes';
type Axis = 'width' | 'neurons';
type Json = Readonly<Record<string, unknown>>;

const SERIES = {
  fast: 'fast',
  auxiliary: 'fast, authors’ form',
  exact: 'exact',
} as const;
type SeriesKey = keyof typeof SERIES;
/** Of the whole searches, around the method that it takes. */
const AUTO: Method = 'auto';
const IS_AUTO = `(datum.series === '${AUTO}')`;

interface Row {
  readonly series: string;
  readonly x: number;
  readonly y: number;
  readonly said: string;
}

const say = (cost: Cost, value: number): string =>
  cost === 'seconds' ? `${seconds(value)} s` : bytes(value);

function rowOf(
  key: SeriesKey,
  search: Search | LeftOut,
  { x, place, cost }: { readonly x: number; readonly place: string; readonly cost: Cost },
): readonly Row[] {
  const value = costOf(search, cost);
  if (value === null || value <= 0) return [];
  const y = cost === 'seconds' ? value : value / MEBI;
  return [{ series: SERIES[key], x, y, said: `${SERIES[key]}, ${place}: ${say(cost, value)}` }];
}

/** A cross at the upper edge for each method that was left out; the reason under the pointer. */
function leftOutLayer(
  points: readonly Point[],
  axis: Axis,
  { keys, top }: { readonly keys: readonly SeriesKey[]; readonly top: number },
): readonly Json[] {
  const values = points.flatMap((point) =>
    keys.flatMap((key) => {
      const search = point.searches[key];
      if (!isLeftOut(search)) return [];
      const said = `${SERIES[key]}, width ${significant(point.width, 4)}, left out: ${search.leftOut}`;
      return [{ series: SERIES[key], x: point[axis], y: top, said }];
    }),
  );
  if (values.length === 0) return [];
  const mark = { type: 'text', text: '×', fontSize: 16, fontWeight: 700, dy: -14 };
  return [{ data: { values }, mark, encoding: { y: Y, shape: null, description: { field: 'said' } } }];
}

const Y = { field: 'y', type: 'quantitative' } as const;

function crossingLayers({ crossings }: Crossover, top: number): readonly Json[] {
  if (crossings.length === 0) return [];
  const values = crossings.map(({ at }) => ({ x: at, y: top, text: placeText(at) }));
  const plain = { color: null, shape: null };
  return [
    {
      data: { values },
      mark: { type: 'rule', strokeDash: [5, 4], color: MUTED, aria: false },
      encoding: plain,
    },
    {
      data: { values },
      mark: { type: 'text', align: 'left', dx: 4, dy: -6, aria: false },
      encoding: { ...plain, y: Y, text: { field: 'text' } },
    },
  ];
}

interface Drawing {
  /** All series that there may be, in the order of their colours. */
  readonly names: readonly string[];
  readonly rows: readonly Row[];
  readonly x: string;
  readonly cost: Cost;
  readonly crossing: Crossover | null;
  readonly leftOut: (top: number) => readonly Json[];
}

/** Ticks where something was measured. */
function withTicks(axis: Json, values: readonly number[]): Json {
  return { ...axis, axis: { ...(axis.axis as Json), values, format: '~g' } };
}

function drawn({ names, rows, x, cost, crossing, leftOut }: Drawing): Figure['spec'] {
  const { encoding, rows: legend } = looks(
    names,
    rows.map(({ series }) => series),
  );
  const top = Math.max(...rows.map(({ y }) => y));
  const places = [...new Set(rows.map((row) => row.x))].sort((a, b) => a - b);
  const xAxis = withTicks(logAxis('x', x, places), places);
  const yAxis = logAxis(
    'y',
    cost === 'seconds' ? 'seconds' : 'peak MiB',
    rows.map((row) => row.y),
  );
  return frame(
    {
      data: { values: rows },
      encoding: { x: xAxis, ...encoding },
      layer: [
        ...(crossing === null ? [] : crossingLayers(crossing, top)),
        // Auto is around the method that it takes.
        marks(yAxis, { filter: IS_AUTO, size: 190, isHollow: true }),
        lines(yAxis, `!${IS_AUTO}`),
        marks(yAxis, { filter: `!${IS_AUTO}` }),
        ...leftOut(top),
      ],
    },
    heightWith(PLOT_HEIGHT, legend),
  );
}

const TITLES = {
  seconds: 'Seconds of splitting',
  peakBytes: 'Peak memory of splitting',
} as const;
const CROSSOVERS = {
  seconds: { width: 'timeByWidth', neurons: 'timeByNeurons' },
  peakBytes: { width: 'memoryByWidth', neurons: 'memoryByNeurons' },
} as const;

/** One plot of a cost along an axis; null where nothing was measured. */
function plotOf(document: SplittingBenchDocument, id: string, cost: Cost, axis: Axis): Figure | null {
  const { points, crossovers, epochs, images } = document;
  const keys = ['fast', 'auxiliary', 'exact'] as const satisfies readonly SeriesKey[];
  const rows = points.flatMap((point) =>
    keys.flatMap((key) => {
      const place = `width ${significant(point.width, 4)}, ${integer(point.neurons)} neurons`;
      return rowOf(key, point.searches[key], { x: point[axis], place, cost });
    }),
  );
  if (rows.length === 0) return null;
  const what =
    cost === 'seconds'
      ? `, ${epochs} epochs over ${integer(images)} images; scaled from steps`
      : '; measured';
  return {
    id,
    title: `${TITLES[cost]} against ${axis === 'width' ? 'width' : 'number of neurons'}`,
    caption: `All neurons at once${what}. A dashed line is where exact and fast cross; a cross at the upper edge is a method that was left out there.`,
    spec: drawn({
      ...{ names: Object.values(SERIES), rows, cost, x: axis, crossing: crossovers[CROSSOVERS[cost][axis]] },
      leftOut: (top) => leftOutLayer(points, axis, { keys, top }),
    }),
  };
}

function partsPlot({ parts }: SplittingBenchDocument): Figure | null {
  const rows = (parts?.points ?? []).flatMap(({ chains, neurons, fast, exact }) => {
    const at = { x: neurons, place: `${chains} layers, ${neurons} neurons`, cost: 'seconds' } as const;
    return [...rowOf('fast', fast, at), ...rowOf('exact', exact, at)];
  });
  if (parts === null || rows.length === 0) return null;
  return {
    id: 'splitting-parts',
    title: `Seconds of splitting against neurons split, width ${significant(parts.width, 4)}`,
    caption:
      'Indices of the first layers of one network alone, more and more of them. Each method passes through the whole network whatever is asked for.',
    spec: drawn({
      ...{ names: Object.values(SERIES), rows, x: 'neurons', cost: 'seconds', crossing: null },
      leftOut: () => [],
    }),
  };
}

/** Whole searches by every method, against the width. */
function wholesPlot(document: SplittingBenchDocument): Figure | null {
  const { wholeImages } = document;
  const rows = wholeRows(document).flatMap(({ width, neurons, method, search }): readonly Row[] => {
    if (isLeftOut(search)) return [];
    const place = `width ${significant(width, 4)}, ${integer(neurons)} neurons`;
    const said = `${method}, ${place}: ${say('seconds', search.seconds)}`;
    return [{ series: method, x: width, y: search.seconds, said }];
  });
  if (rows.length === 0) return null;
  return {
    id: 'splitting-methods',
    title: 'Seconds of splitting by every method, against width',
    caption: `Indices of all layers over ${integer(wholeImages)} images, timed as a whole; rayleigh is the paper’s descent. A method that was left out at a width has no mark there.`,
    spec: drawn({
      ...{ names: METHODS, rows, x: 'width', cost: 'seconds', crossing: null },
      leftOut: () => [],
    }),
  };
}

/** The plots that there is something to draw for; the first is that of the paper's figure. */
export function splittingPlots(document: SplittingBenchDocument): readonly Figure[] {
  return [
    plotOf(document, 'splitting', 'seconds', 'width'),
    plotOf(document, 'splitting-memory', 'peakBytes', 'width'),
    plotOf(document, 'splitting-neurons', 'seconds', 'neurons'),
    wholesPlot(document),
    partsPlot(document),
  ].filter((figure) => figure !== null);
}
