// What a figure of the report is, and the frame that all of them share.
import type { TopLevelSpec } from 'vega-lite';
import { SURFACE } from './svg.js';

export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly spec: TopLevelSpec;
}

/** Of the whole drawing: every figure has one width, so its text is of one size on the page. */
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

/** A layer of points with their words on hover. */
export function points(shape: string, size: number): Record<string, unknown> {
  return {
    mark: { type: 'point', filled: true, size, shape, opacity: 1, stroke: SURFACE, strokeWidth: 1.5 },
    encoding: { description: { field: 'said' } },
  };
}
