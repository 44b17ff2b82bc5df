// What a figure of a report is, the frame that all figures share, and how one is drawn onto the page.
import type { TopLevelSpec } from 'vega-lite';
import { type Html, html, trusted } from './html.js';
import { drawSvg, SURFACE } from './svg.js';

export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly spec: TopLevelSpec;
}

export interface Drawn extends Figure {
  readonly svg: string;
}

/** Width of every figure in pixels. One width for all, so that text has one size on the page. */
const WIDTH = 380;

/** A specification that fits its labels into the figure's width. */
export function frame(body: Readonly<Record<string, unknown>>, height = 270): TopLevelSpec {
  return {
    width: WIDTH,
    height,
    autosize: { type: 'fit', contains: 'padding' },
    ...body,
  } as unknown as TopLevelSpec;
}

/** A layer of points that show a text under the pointer. */
export function points(shape: string, size: number): Record<string, unknown> {
  return {
    mark: { type: 'point', filled: true, size, shape, opacity: 1, stroke: SURFACE, strokeWidth: 1.5 },
    encoding: { description: { field: 'said' } },
  };
}

/** Draws every figure that there is. */
export async function draw(figures: readonly (Figure | null)[]): Promise<readonly Drawn[]> {
  const drawn: Drawn[] = [];
  for (const figure of figures) {
    if (figure === null) continue;
    drawn.push({ ...figure, svg: await drawSvg(figure.spec, { id: figure.id, label: figure.title }) });
  }
  return drawn;
}

export function figureHtml({ id, title, caption, svg }: Drawn): Html {
  return html`<figure id="figure-${id}"><h3>${title}</h3>${trusted(svg)}<figcaption>${caption}</figcaption></figure>\n`;
}
