// How a picture of a network looks: colours of the nodes' roles, of tied groups, and how strong a share of the MACs is.
import type { GraphNode } from '../graph/ir.js';
import { opOf } from '../graph/ops.js';
import { isDepthwise } from '../graph/readers.js';

/** What a node does to channels, with the colour of its fill at full strength. */
export interface Role {
  readonly name: string;
  readonly colour: string;
  readonly is: (node: GraphNode) => boolean;
}

/** The first row that fits is a node's role; the last one fits all. */
export const ROLES: readonly Role[] = [
  { name: 'layer: makes channels', colour: '#5b93f5', is: (node) => opOf(node).channels === 'source' },
  { name: 'depthwise convolution', colour: '#34b58d', is: isDepthwise },
  { name: 'batch norm', colour: '#c9ccd1', is: (node) => opOf(node).chain === 'batch_norm' },
  { name: 'activation', colour: '#f0b35c', is: (node) => opOf(node).chain === 'activation' },
  { name: 'sum: ties channels', colour: '#e58ad3', is: (node) => opOf(node).channels === 'merge' },
  { name: 'pooling, reshaping, dropout', colour: '#d9d0b4', is: () => true },
];

export function roleOf(node: GraphNode): Role {
  return ROLES.find(({ is }) => is(node)) as Role;
}

/** Borders of tied groups, apart for the colour-blind; each returns with another line where they are used up. */
const TIES = ['#3b7de0', '#d9591c', '#0e8f6c', '#b9509f', '#8f7a14', '#b04a3c'] as const;
/** Dashes say something else: that neurons are not split. */
const LINES = ['solid', 'dotted'] as const;

export interface Tie {
  readonly colour: string;
  readonly line: string;
}

export function tieAt(place: number): Tie {
  return {
    colour: TIES[place % TIES.length] ?? TIES[0],
    line: LINES[Math.floor(place / TIES.length) % LINES.length] ?? LINES[0],
  };
}

/** Text, on fills of any strength; lines between nodes, seen on white and on black alike. */
export const INK = '#15181d';
export const LINE = '#7b8390';
export const PAPER = '#ffffff';
export const FRAME = '#7b8390';

/** Strength of the fill of a node without MACs, and of the one with most. */
const [LEAST, MOST] = [0.22, 1];

function channels(colour: string): readonly number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

/** The colour on white paper at a strength from 0 to 1, as #rrggbb. */
export function faded(colour: string, strength: number): string {
  const mixed = channels(colour).map((value) => Math.round(255 + (value - 255) * strength));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** Fill of a node whose share of the MACs is `share` of the largest share: by the root, so that small ones are told apart. */
export function fillOf({ colour }: Role, share: number): string {
  return faded(colour, LEAST + (MOST - LEAST) * Math.sqrt(share));
}
