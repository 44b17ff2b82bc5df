// Exact against fast: the Rayleigh quotient of one neuron of twelve weights, step by step, above the eigenvalue that the exact method gives.
import { line, picture, plot, polyline, text } from './svg.mjs';
import { descend, eigen, fitted, makeTask, splittingMatrix } from './toy.mjs';

const STEPS = 2000;

/** The neuron, its smallest eigenvalue, and three descents from random directions. */
export function twelveWeights() {
  const sines = (phase) => Array.from({ length: 12 }, (_, k) => 0.9 * Math.sin(1.7 * k + phase));
  const task = makeTask({ seed: 11, points: 1024, teachers: [sines(0), sines(1.1)] });
  const weights = fitted(task, sines(0.5), { steps: 600 });
  const values = eigen(splittingMatrix(task, weights)).map(({ value }) => value);
  const traces = [1, 2, 3].map(
    (seed) => descend(task, weights, { seed, steps: STEPS, batch: 64, rate: 0.001 }).trace,
  );
  return { values, traces };
}

/** docs/images/rayleigh.svg */
export function rayleighDescent() {
  const { values, traces } = twelveWeights();
  const [lowest] = values;
  const { at, marks } = plot({
    box: [64, 58, 600, 270],
    x: {
      range: [0, STEPS],
      ticks: [0, 500, 1000, 1500, 2000],
      label: 'steps of RMSprop at 0.001, minibatches of 64',
    },
    y: { range: [-0.15, 0], ticks: [-0.15, -0.1, -0.05, 0], label: 'vᵀ S v, on all points' },
  });
  const curves = traces.map((trace, i) =>
    polyline(
      trace.flatMap((value, at_) => (at_ % 20 === 0 ? [at([at_, value])] : [])),
      `${'acd'[i]} bold`,
    ),
  );
  const ends = traces
    .map((trace) => (100 * (trace.at(-1) - lowest)) / -lowest)
    .map((share) => `${share.toFixed(1)} %`);
  return picture(
    {
      width: 640,
      height: 346,
      title: 'Fast splitting: descent on the Rayleigh quotient',
      description:
        'The Rayleigh quotient falls from three random directions to the smallest eigenvalue of the splitting matrix.',
    },
    [
      text(24, 24, 'Fast: from three random directions down to the smallest eigenvalue', 'ink title'),
      marks,
      values.map((value) => line(at([STEPS * 0.985, value]), at([STEPS, value]), 'axis')),
      line(at([0, lowest]), at([STEPS, lowest]), 'b dash'),
      curves,
      text(
        at([STEPS * 0.5, 0])[0],
        at([0, lowest])[1] - 7,
        `exact: λ = ${lowest.toFixed(4).replace('-', '−')}`,
        'fb',
      ),
      text(
        24,
        332,
        `After ${STEPS} steps the three are ${ends.join(', ')} above it. Right edge: all twelve eigenvalues.`,
        'soft',
      ),
    ],
  );
}
