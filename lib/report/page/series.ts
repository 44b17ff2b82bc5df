// How series look in every plot: one colour and one shape each, error bars, legend, logarithmic axis.
import { decimal } from '../../statistics/format.js';
import type { Spread } from '../../statistics/spread.js';
import { curveColour, curveShape } from './palette.js';
import { SURFACE } from './svg.js';

type Json = Readonly<Record<string, unknown>>;

/** Widths in pixels: of the legend, of a character of it, of a symbol with its distances. */
const [LEGEND, CHARACTER, SYMBOL] = [345, 6.7, 30] as const;
const LEGEND_ROW = 18;
/** Longer names end in an ellipsis; the tables have them whole. */
const LONGEST_NAME = 300;

/** 59.80 ± 0.31 %, 2 seeds; deviation and seeds are left out where there is one seed. */
export function spreadText({ n, mean, sd }: Spread, unit: string, digits = 2): string {
  return `${decimal(mean, digits)}${sd === null ? '' : ` ± ${decimal(sd, digits)}`}${unit}${sd === null ? '' : `, ${n} seeds`}`;
}

/** Colour and shape by series, the legend with as many columns as fit. */
export function looks(
  all: readonly string[],
  shown: readonly string[],
): { readonly names: readonly string[]; readonly encoding: Json; readonly rows: number } {
  const names = all.filter((name) => shown.includes(name));
  const place = (name: string): number => all.indexOf(name);
  const widest = Math.max(0, ...names.map((name) => name.length)) * CHARACTER + SYMBOL;
  const columns = Math.max(1, Math.min(names.length, Math.floor(LEGEND / widest)));
  const legend =
    names.length > 1
      ? { title: null, orient: 'top', columns, symbolOpacity: 1, labelLimit: LONGEST_NAME }
      : null;
  return {
    names,
    rows: names.length > 1 ? Math.ceil(names.length / columns) : 0,
    encoding: {
      color: {
        field: 'series',
        type: 'nominal',
        scale: { domain: names, range: names.map((name) => curveColour(place(name))) },
        legend,
      },
      shape: {
        field: 'series',
        type: 'nominal',
        scale: { domain: names, range: names.map((name) => curveShape(place(name))) },
        legend,
      },
    },
  };
}

/** Height of a plot of `height` pixels with its legend above. */
export function heightWith(height: number, legendRows: number): number {
  return height + LEGEND_ROW * legendRows;
}

const SAID = { description: { field: 'said' } } as const;

/** One standard deviation up and down, from fields `low` and `high`. */
export function errorBars(y: Json): readonly Json[] {
  const cap = { type: 'tick', orient: 'horizontal', size: 9, thickness: 1.5 };
  const transform = [{ filter: 'isValid(datum.low)' }];
  const shape = null;
  return [
    {
      transform,
      mark: { type: 'rule', strokeWidth: 1.5 },
      encoding: { y: { ...y, field: 'low' }, y2: { field: 'high' }, shape, ...SAID },
    },
    ...['low', 'high'].map((field) => ({
      transform,
      mark: cap,
      encoding: { y: { ...y, field }, shape, ...SAID },
    })),
  ];
}

/** Lines through the means. They have no text for the pointer: their points have it. */
export function lines(y: Json, filter?: string): Json {
  return {
    ...(filter === undefined ? {} : { transform: [{ filter }] }),
    mark: { type: 'line', strokeWidth: 2, aria: false },
    encoding: { y, shape: null },
  };
}

/** Points with a text for the pointer, filled or hollow. */
export function marks(
  y: Json,
  { filter, size = 70, isHollow = false }: { filter?: string; size?: number; isHollow?: boolean } = {},
): Json {
  const fill = isHollow
    ? { filled: false, strokeWidth: 2, fill: SURFACE }
    : { filled: true, stroke: SURFACE, strokeWidth: 1 };
  return {
    ...(filter === undefined ? {} : { transform: [{ filter }] }),
    mark: { type: 'point', size, opacity: 1, ...fill },
    encoding: { y, ...SAID },
  };
}

/** Single seeds, small and faint. */
export function seedMarks(
  values: readonly Json[],
  y: Json,
  { size = 16, opacity = 0.45 }: { readonly size?: number; readonly opacity?: number } = {},
): Json {
  return {
    data: { values },
    mark: { type: 'point', filled: true, size, opacity },
    encoding: { y, ...SAID },
  };
}

/** Fields of an error bar; none without a deviation. */
export function bar({ mean, sd }: Spread): { readonly low?: number; readonly high?: number } {
  return sd === null ? {} : { low: mean - sd, high: mean + sd };
}

/** From so many decades on, a logarithmic axis has ticks at powers of ten only. */
const DECADES = 2;

/** A logarithmic axis over `values` whose labels do not overlap. */
export function logAxis(field: string, title: string, values: readonly number[], format = '~s'): Json {
  const [low, high] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))];
  const powers = Array.from(
    { length: Math.max(0, Math.floor(high) - Math.ceil(low) + 1) },
    (_, at) => 10 ** (Math.ceil(low) + at),
  );
  return {
    field,
    type: 'quantitative',
    scale: { type: 'log', nice: false, padding: 22 },
    axis: {
      title: `${title}, logarithmic`,
      format,
      tickCount: 6,
      labelOverlap: 'greedy',
      labelSeparation: 8,
      ...(high - low > DECADES ? { values: powers } : {}),
    },
  };
}

/** Values grouped by a key, in the order in which the keys first come. */
export function grouped<T>(values: readonly T[], key: (value: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group === undefined) groups.set(key(value), [value]);
    else group.push(value);
  }
  return [...groups.values()];
}
