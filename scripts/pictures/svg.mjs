// SVG as text: numbers to a tenth, colours by class, so that a picture reads on light and on dark pages.

/** A coordinate, to a tenth of a pixel. */
export const n = (value) => String(Math.round(value * 10) / 10 + 0);

const STYLE = `
.box { fill: #f6f8fa; stroke: #818b98 } .page { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e } .rule { stroke: #d0d7de } .axis { stroke: #59636e }
.a { stroke: #0969da } .b { stroke: #bc4c00 } .c { stroke: #1a7f37 } .d { stroke: #8250df } .fa { fill: #0969da } .fb { fill: #bc4c00 } .fc { fill: #1a7f37 } .fd { fill: #8250df }
.level { stroke: #818b98 }
@media (prefers-color-scheme: dark) {
.box { fill: #151b23; stroke: #656c76 } .page { fill: #0d1117 } .ink { fill: #e6edf3 } .soft { fill: #9198a1 } .rule { stroke: #3d444d } .axis { stroke: #9198a1 }
.a { stroke: #4493f8 } .b { stroke: #f0883e } .c { stroke: #3fb950 } .d { stroke: #ab7df8 } .fa { fill: #4493f8 } .fb { fill: #f0883e } .fc { fill: #3fb950 } .fd { fill: #ab7df8 }
.level { stroke: #656c76 }
}
text { font: 12px system-ui, sans-serif } .title { font-weight: 600; font-size: 13px } .small { font-size: 11px }
path, line, polyline { fill: none; stroke-width: 1.2 } .bold { stroke-width: 2.4 } .dash { stroke-dasharray: 5 4 } .thin { stroke-width: 0.7 }`;

/** A whole picture; `title` and `description` are for those who do not see it. */
export function picture({ width, height, title, description }, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${title}</title>
<desc>${description}</desc>
<style>${STYLE}
</style>
<rect class="page" width="${width}" height="${height}" rx="6"/>
${parts.flat(9).join('\n')}
</svg>
`;
}

export function text(x, y, words, classes = 'ink', anchor = 'start') {
  return `<text class="${classes}" x="${n(x)}" y="${n(y)}" text-anchor="${anchor}">${words}</text>`;
}

export function line([x1, y1], [x2, y2], classes) {
  return `<line class="${classes}" x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}"/>`;
}

export function polyline(points, classes) {
  return `<polyline class="${classes}" points="${points.map(([x, y]) => `${n(x)},${n(y)}`).join(' ')}"/>`;
}

export function dot([x, y], classes, radius = 4) {
  return `<circle class="${classes}" cx="${n(x)}" cy="${n(y)}" r="${n(radius)}"/>`;
}

/** A line with a head at its end. */
export function arrow([x1, y1], [x2, y2], stroke, fill) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const corner = (turn) => `${n(x2 - 9 * Math.cos(angle + turn))},${n(y2 - 9 * Math.sin(angle + turn))}`;
  const head = `<polygon class="${fill}" points="${n(x2)},${n(y2)} ${corner(0.4)} ${corner(-0.4)}"/>`;
  return [line([x1, y1], [x2, y2], `${stroke} bold`), head];
}

const linear =
  ([from, to], [start, end]) =>
  (value) =>
    start + ((value - from) / (to - from)) * (end - start);
const logarithmic = ([from, to], range) => {
  const scale = linear([Math.log(from), Math.log(to)], range);
  return (value) => scale(Math.log(value));
};

/** A frame with axes: `at` maps a pair of values to a place. Ticks are [value, words] or values. */
export function plot({ box: [left, top, right, bottom], x, y }) {
  const scale = (axis, range) => (axis.isLog ? logarithmic : linear)(axis.range, range);
  const [toX, toY] = [scale(x, [left, right]), scale(y, [bottom, top])];
  const pairs = (ticks) =>
    ticks.map((tick) => (Array.isArray(tick) ? tick : [tick, String(tick).replace('-', '−')]));
  const marks = [
    ...pairs(x.ticks).flatMap(([value, words]) => [
      line([toX(value), top], [toX(value), bottom], 'rule thin'),
      text(toX(value), bottom + 15, words, 'soft small', 'middle'),
    ]),
    ...pairs(y.ticks).flatMap(([value, words]) => [
      line([left, toY(value)], [right, toY(value)], 'rule thin'),
      text(left - 6, toY(value) + 4, words, 'soft small', 'end'),
    ]),
    line([left, bottom], [right, bottom], 'axis'),
    line([left, top], [left, bottom], 'axis'),
    text((left + right) / 2, bottom + 32, x.label, 'soft', 'middle'),
    text(left, top - 8, y.label, 'soft'),
  ];
  return { at: ([px, py]) => [toX(px), toY(py)], marks };
}

/** Lines of equal value of `f` over a range, by marching squares: one path a level. */
export function contours(f, { xs: [x0, x1], ys: [y0, y1], cells, levels, at, classes }) {
  const place = (i, j) => [x0 + ((x1 - x0) * i) / cells, y0 + ((y1 - y0) * j) / cells];
  const grid = Array.from({ length: cells + 1 }, (_, i) =>
    Array.from({ length: cells + 1 }, (__, j) => f(place(i, j))),
  );
  const between = ([i, j], [k, l], level) => {
    const share = (level - grid[i][j]) / (grid[k][l] - grid[i][j]);
    return place(i + share * (k - i), j + share * (l - j));
  };
  const crossings = (i, j, level) => {
    const corners = [
      [i, j],
      [i + 1, j],
      [i + 1, j + 1],
      [i, j + 1],
    ];
    return corners.flatMap((a, side) => {
      const b = corners[(side + 1) % 4];
      return grid[a[0]][a[1]] < level !== grid[b[0]][b[1]] < level ? [between(a, b, level)] : [];
    });
  };
  return levels.map((level) => {
    let path = '';
    for (let i = 0; i < cells; i += 1) {
      for (let j = 0; j < cells; j += 1) {
        const found = crossings(i, j, level).map(at);
        for (let k = 0; k + 1 < found.length; k += 2) {
          const [[ax, ay], [bx, by]] = [found[k], found[k + 1]];
          path += `M${n(ax)} ${n(ay)}L${n(bx)} ${n(by)}`;
        }
      }
    }
    return `<path class="${classes}" d="${path}"/>`;
  });
}
