// A Vega-Lite specification drawn as inline SVG whose colours follow the page's light or dark scheme.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Config, LegendLayout } from 'vega';
import type { TopLevelSpec } from 'vega-lite';

/** Colours are the page's custom properties; the second value serves an SVG that stands alone. */
export const INK = 'var(--ink, #1d2129)';
export const MUTED = 'var(--muted, #5c6370)';
export const GRID = 'var(--grid, #e3e5e9)';
export const SURFACE = 'var(--surface, #ffffff)';
export const SERIES = [
  'var(--c1, #2563c9)',
  'var(--c2, #d9730d)',
  'var(--c3, #0f8f6f)',
  'var(--c4, #a3439f)',
  'var(--c5, #8a8f99)',
] as const;

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

const THEME = {
  background: 'transparent',
  font: FONT,
  padding: { left: 4, right: 12, top: 6, bottom: 4 },
  view: { stroke: null },
  axis: {
    labelColor: MUTED,
    titleColor: MUTED,
    gridColor: GRID,
    domainColor: GRID,
    tickColor: GRID,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelFontWeight: 'normal',
    tickSize: 4,
    labelPadding: 4,
    titlePadding: 8,
  },
  legend: {
    labelColor: INK,
    titleColor: MUTED,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    symbolStrokeWidth: 0,
    labelLimit: 0,
  },
  range: { category: [...SERIES] },
  text: { fill: INK, fontSize: 12 },
  title: { color: INK, fontSize: 13, fontWeight: 600, anchor: 'start' },
};

/** Width of a character, in font sizes. Without a canvas, vega takes 0.8 for every one. */
function advance(character: string): number {
  if (/[\s.,:;'|!()[\]ijltfrI-]/.test(character)) return 0.38;
  if (/[mwMW@%]/.test(character)) return 0.9;
  return /[A-Z]/.test(character) ? 0.7 : 0.6;
}

interface TextItem {
  readonly text?: unknown;
  readonly fontSize?: number;
}

/** Width of a text in a plain sans serif, rather too wide than too narrow. */
function textWidth(item: TextItem, text: unknown = item.text): number {
  return (
    (item.fontSize ?? 11) * [...String(text ?? '')].reduce((sum, character) => sum + advance(character), 0)
  );
}

/** A mark's description becomes a <title>: browsers show it on hover, without a script. */
function withTitles(svg: string): string {
  return svg.replace(
    /<(path|text|rect)\b([^>]*?) aria-label="([^"]*)"([^>]*?) aria-roledescription="(?!axis|legend|title)[^"]*"([^>]*?)\/>/g,
    (_match, tag: string, before: string, label: string, between: string, after: string) =>
      `<${tag}${before}${between}${after}><title>${label}</title></${tag}>`,
  );
}

/** Legends begin at the drawing's left edge, not at the axis: beside long labels they would be cut off. */
function withLegends(config: Config): Config {
  const top: LegendLayout = { anchor: 'start', frame: 'bounds' };
  return { ...config, legend: { ...config.legend, layout: { top } } };
}

/** Draws `spec`; `label` is what a screen reader says of the whole, `id` keeps inner ids apart on a page. */
export async function drawSvg(
  spec: TopLevelSpec,
  { id, label }: { readonly id: string; readonly label: string },
): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  return measured(vega as unknown as Measuring, () => drawn({ vega, vegaLite }, spec, { id, label }));
}

/** What vega measures texts with: one for the whole process. */
interface Measuring {
  readonly textMetrics: { width: typeof textWidth };
}

const drawing = new AsyncLocalStorage<true>();
let drawings = 0;

/** Measures the texts of this drawing by `textWidth`. What the user's program draws with vega at the same time is measured as before. */
async function measured<T>({ textMetrics }: Measuring, draw: () => Promise<T>): Promise<T> {
  const { width } = textMetrics;
  const chosen: typeof textWidth = (...given) =>
    (drawing.getStore() === true ? textWidth : width).call(textMetrics, ...given);
  if (drawings === 0) {
    textMetrics.width = chosen;
    restore = () => {
      if (textMetrics.width === chosen) textMetrics.width = width;
    };
  }
  drawings += 1;
  try {
    return await drawing.run(true, draw);
  } finally {
    drawings -= 1;
    if (drawings === 0) restore();
  }
}
let restore = (): void => undefined;

interface Libraries {
  readonly vega: typeof import('vega');
  readonly vegaLite: typeof import('vega-lite');
}

async function drawn(
  { vega, vegaLite }: Libraries,
  spec: TopLevelSpec,
  { id, label }: { readonly id: string; readonly label: string },
): Promise<string> {
  const compiled = vegaLite.compile({ ...spec, description: label, config: THEME } as TopLevelSpec).spec;
  const laidOut = { ...compiled, config: withLegends(compiled.config ?? {}) };
  const view = new vega.View(vega.parse(laidOut), { renderer: 'none', logLevel: vega.Error });
  try {
    const svg = await view.toSVG();
    return withTitles(svg)
      .replace(/\s*xmlns(:xlink)?="[^"]*"/g, '')
      .replace(/(\bid="|url\(#)(?=clip|gradient)/g, `$1${id}-`);
  } finally {
    view.finalize();
  }
}

/** The drawing as a file of its own: colours as they are on a light page, on a white ground, for programs that know no custom properties. */
export function standaloneSvg(svg: string): string {
  return svg
    .replace(/var\(--[\w-]+, ([^()]+)\)/g, '$1')
    .replace(
      /^<svg ([^>]*)>/,
      '<svg xmlns="http://www.w3.org/2000/svg" $1><rect width="100%" height="100%" fill="#ffffff"/>',
    )
    .concat('\n');
}
