// Colours of curves: the colour-blind can tell them apart, and they contrast with the page in its light and its dark scheme.

/** On a white ground. */
export const LIGHT_CURVES = [
  '#1f5fc4',
  '#e0700f',
  '#0b8a68',
  '#c04aa5',
  '#2f3640',
  '#7d6608',
  '#3b97d1',
  '#8a2a1c',
] as const;

/** On the dark scheme's surface, #191d23. */
export const DARK_CURVES = [
  '#5b93f5',
  '#f08a3c',
  '#34b58d',
  '#e58ad3',
  '#f2f4f7',
  '#f0dc6a',
  '#2d78a8',
  '#c0453a',
] as const;

/** Shapes of vega that differ without their colour. */
const SHAPES = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'triangle-down',
  'triangle-right',
  'triangle-left',
] as const;

/** --k1: ...; of every curve's colour, for a style sheet. */
export function curveProperties(colours: readonly string[]): string {
  return colours.map((colour, at) => `--k${at + 1}: ${colour};`).join(' ');
}

/** Colour of the curve at place `at`; the page's scheme decides, a drawing on its own is light. */
export function curveColour(at: number): string {
  const place = at % LIGHT_CURVES.length;
  return `var(--k${place + 1}, ${LIGHT_CURVES[place]})`;
}

/** Shape of the curve at place `at`: with the colour, no two of the first 64 curves look alike. */
export function curveShape(at: number): string {
  return SHAPES[(at + Math.floor(at / LIGHT_CURVES.length)) % SHAPES.length] ?? SHAPES[0];
}
