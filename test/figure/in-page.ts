// What the tests ask inside the browser, as the browser's own JavaScript.

/** Unfolds everything. */
export const UNFOLD = `for (const details of document.querySelectorAll('details')) details.open = true;`;

/** [pixels that the page is wide, pixels that it has] */
export const WIDTHS = `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`;

export const GROUND = `getComputedStyle(document.body).backgroundColor`;

export const COPIED = `globalThis.copied`;

/** [width, height, marks] of every drawing. */
export const DRAWINGS = `[...document.querySelectorAll('figure svg')].map((svg) => {
  const { width, height } = svg.getBoundingClientRect();
  return [width, height, svg.querySelectorAll('[role="graphics-symbol"]').length];
})`;

const SHOWN = `(text) => text.textContent !== '' && text.getAttribute('opacity') !== '0'`;

/** Words of figures that stick out of their drawing, by more than a pixel of rounding. */
export const CUT_OFF = `[...document.querySelectorAll('figure svg')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(${SHOWN}).flatMap((text) => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    const isIn = left >= frame.left - 1 && right <= frame.right + 1 && top >= frame.top - 1 && bottom <= frame.bottom + 1;
    return isIn ? [] : [svg.parentElement.id + ': ' + text.textContent];
  });
})`;

/** Labels of one axis or legend that lie over one another; boxes of text are higher than its letters. */
export const OVERLAPPING = `[...document.querySelectorAll('figure .role-axis-label, figure .role-legend')].flatMap((group) => {
  const boxes = [...group.querySelectorAll('text')].filter(${SHOWN})
    .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
  return boxes.flatMap(({ text, box }, at) => boxes.slice(at + 1)
    .filter(({ box: other }) => box.left < other.right - 1 && other.left < box.right - 1 && box.top + 3 < other.bottom && other.top + 3 < box.bottom)
    .map((other) => group.closest('figure').id + ': ' + text + ' over ' + other.text));
})`;
