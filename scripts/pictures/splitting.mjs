// The splitting index of one neuron with two weights, drawn: its loss, that of its offspring, and the eigenvectors between them.
import { arrow, contours, dot, line, picture, plot, polyline, text } from './svg.mjs';
import { drawnNeuron, loss, splitLoss } from './toy.mjs';

const WIDTH = 920;
const HEIGHT = 372;
const range = (from, to, count) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
const scaled = (vector, scale) => vector.map((value) => value * scale);
const three = (value) => value.toFixed(3).replace('-', '−');

function landscape({ task, weights }) {
  const { at, marks } = plot({
    box: [46, 58, 286, 298],
    x: { range: [-1, 3], ticks: [-1, 0, 1, 2, 3], label: 'first weight' },
    y: { range: [-1, 3], ticks: [-1, 0, 1, 2, 3], label: 'second weight' },
  });
  const levels = [0.08, 0.1, 0.14, 0.2, 0.3, 0.45, 0.65, 0.9, 1.3];
  const lines = contours((point) => loss(task, [point]), {
    xs: [-1, 3],
    ys: [-1, 3],
    cells: 40,
    levels,
    at,
    classes: 'level',
  });
  return [
    text(24, 24, '1. One neuron, in a minimum', 'ink title'),
    marks,
    lines,
    dot(at(weights), 'fb', 5),
    text(at(weights)[0] + 9, at(weights)[1] - 7, 'θ', 'ink title'),
  ];
}

function offSprings(neuron) {
  const { low, high } = neuron;
  const { at, marks } = plot({
    box: [352, 58, 592, 298],
    x: { range: [-2, 2], ticks: [-2, -1, 0, 1, 2], label: 'δ, first weight' },
    y: { range: [-2, 2], ticks: [-2, -1, 0, 1, 2], label: 'δ, second weight' },
  });
  const levels = [0.02, 0.03, 0.045, 0.06, 0.07, 0.0749, 0.09, 0.11, 0.15];
  const lines = contours((point) => splitLoss(neuron, point), {
    xs: [-2, 2],
    ys: [-2, 2],
    cells: 40,
    levels,
    at,
    classes: 'level',
  });
  const arrows = [low, high].flatMap(({ vector }, i) => {
    const [stroke, fill] = [
      ['a', 'fa'],
      ['b', 'fb'],
    ][i];
    return [1, -1].map((sign) => arrow(at([0, 0]), at(scaled(vector, sign * 1.15)), stroke, fill));
  });
  return [
    text(330, 24, '2. Its offspring at θ + δ and θ − δ', 'ink title'),
    marks,
    lines,
    arrows,
    text(at(scaled(low.vector, 1.3))[0], at(scaled(low.vector, 1.3))[1] + 12, 'v', 'fa title'),
    text(at(scaled(high.vector, 1.3))[0] - 4, at(scaled(high.vector, 1.3))[1], 'v max', 'fb title'),
  ];
}

function alongDirections(neuron) {
  const { low, high, before } = neuron;
  const { at, marks } = plot({
    box: [658, 58, 898, 298],
    x: { range: [0, 2], ticks: [0, 0.5, 1, 1.5, 2], label: 'ε' },
    y: { range: [0, 0.12], ticks: [0, 0.04, 0.08, 0.12], label: 'loss' },
  });
  const middle = scaled([low.vector[0] + high.vector[0], low.vector[1] + high.vector[1]], Math.SQRT1_2);
  const curve = (vector) => range(0, 2, 41).map((e) => at([e, splitLoss(neuron, scaled(vector, e))]));
  const parabola = range(0, Math.sqrt((-2 * before) / low.value), 25).map((e) =>
    at([e, before + (e * e * low.value) / 2]),
  );
  return [
    text(636, 24, '3. The loss along three directions', 'ink title'),
    marks,
    polyline(parabola, 'a dash'),
    polyline(curve(high.vector), 'b bold'),
    polyline(curve(middle), 'c bold'),
    polyline(curve(low.vector), 'a bold'),
    line(at([0, before]), at([2, before]), 'axis thin dash'),
    text(at([1.08, 0])[0], at([0, 0.006])[1], 'along v', 'fa'),
    text(at([0.1, 0])[0], at([0, 0.022])[1], 'L + ½ ε² λ', 'fa small'),
    text(at([0.1, 0])[0], at([0, 0.088])[1], 'along v max', 'fb'),
    text(at([1.02, 0])[0], at([0, 0.056])[1], 'between', 'fc'),
  ];
}

/** docs/images/splitting-index.svg */
export function splittingIndex() {
  const neuron = drawnNeuron();
  const best = Math.min(...range(0, 2, 201).map((e) => splitLoss(neuron, scaled(neuron.low.vector, e))));
  return picture(
    {
      width: WIDTH,
      height: HEIGHT,
      title: 'A splitting index, drawn',
      description:
        'Loss of one neuron over its two weights; loss of its two offspring over their displacement, highest in the middle; loss along the eigenvectors of the splitting matrix.',
    },
    [
      landscape(neuron),
      offSprings(neuron),
      alongDirections(neuron),
      text(
        24,
        358,
        `Splitting index λ = ${three(neuron.low.value)}, the other eigenvalue ${three(neuron.high.value)}. Loss ${three(neuron.before)} before, ${three(best)} at the best step along v.`,
        'soft',
      ),
    ],
  );
}
