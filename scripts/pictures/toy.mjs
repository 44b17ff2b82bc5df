// One neuron small enough to be drawn: its data, its loss, its splitting matrix, exactly and by descent. Double precision, no randomness but the seed's.

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
function uniform(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const silu = (z) => z * sigmoid(z);
const slope = (z) => sigmoid(z) * (1 + z * (1 - sigmoid(z)));
const curvature = (z) => {
  const s = sigmoid(z);
  return s * (1 - s) * (2 + z * (1 - 2 * s));
};

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const plus = (a, scale, b) => a.map((value, i) => value + scale * b[i]);
export const lengthOf = (a) => Math.sqrt(dot(a, a));

/** Points whose targets are the mean of two silu neurons, so that one neuron cannot meet them and two can. */
export function makeTask({ seed, points, teachers }) {
  const random = uniform(seed);
  const inputs = Array.from({ length: points }, () => teachers[0].map(() => normal(random)));
  const targets = inputs.map((x) => mean(teachers.map((teacher) => silu(dot(teacher, x)))));
  return { inputs, targets };
}

/** Half the mean squared error of the mean of neurons with these weights. */
export function loss({ inputs, targets }, neurons) {
  return mean(inputs.map((x, i) => (mean(neurons.map((w) => silu(dot(w, x)))) - targets[i]) ** 2 / 2));
}

/** Where gradient descent brings one neuron. */
export function fitted({ inputs, targets }, start, { steps = 4000, rate = 0.5 } = {}) {
  let weights = start;
  for (let step = 0; step < steps; step += 1) {
    const gradient = weights.map(() => 0);
    inputs.forEach((x, i) => {
      const z = dot(weights, x);
      const scale = ((silu(z) - targets[i]) * slope(z)) / inputs.length;
      for (let k = 0; k < gradient.length; k += 1) gradient[k] += scale * x[k];
    });
    weights = plus(weights, -rate, gradient);
  }
  return weights;
}

/** S = mean over the points of (f - y) act''(z) x xᵀ, of those in `rows` or of all. */
export function splittingMatrix({ inputs, targets }, weights, rows = inputs.map((_, i) => i)) {
  const matrix = weights.map(() => weights.map(() => 0));
  for (const i of rows) {
    const x = inputs[i];
    const z = dot(weights, x);
    const h = ((silu(z) - targets[i]) * curvature(z)) / rows.length;
    for (let r = 0; r < x.length; r += 1)
      for (let c = 0; c < x.length; c += 1) matrix[r][c] += h * x[r] * x[c];
  }
  return matrix;
}

export const times = (matrix, vector) => matrix.map((row) => dot(row, vector));
export const rayleigh = (matrix, v) => dot(v, times(matrix, v)) / dot(v, v);

/** Eigenvalues, ascending, with unit eigenvectors, of a symmetric matrix: Jacobi rotations. */
export function eigen(matrix) {
  const a = matrix.map((row) => [...row]);
  const n = a.length;
  const v = a.map((_, r) => a.map((__, c) => (r === c ? 1 : 0)));
  for (let sweep = 0; sweep < 60; sweep += 1) {
    for (let p = 0; p < n; p += 1) {
      for (let q = p + 1; q < n; q += 1) {
        const angle = Math.atan2(2 * a[p][q], a[q][q] - a[p][p]) / 2;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < n; k += 1)
          [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < n; k += 1)
          [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
        for (let k = 0; k < n; k += 1)
          [v[k][p], v[k][q]] = [c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]];
      }
    }
  }
  const pairs = a.map((row, i) => ({ value: row[i], vector: v.map((line) => line[i]) }));
  return pairs.sort((x, y) => x.value - y.value);
}

/** RMSprop on the Rayleigh quotient, a minibatch a step, v made unit after each: the quotient on all points, step by step. */
export function descend(task, weights, { seed, steps, batch, rate }) {
  const random = uniform(seed);
  const whole = splittingMatrix(task, weights);
  const unit = (v) => v.map((value) => value / lengthOf(v));
  let v = unit(weights.map(() => normal(random)));
  let squares = weights.map(() => 0);
  const trace = [rayleigh(whole, v)];
  for (let step = 0; step < steps; step += 1) {
    const rows = Array.from({ length: batch }, () => Math.floor(random() * task.inputs.length));
    const matrix = splittingMatrix(task, weights, rows);
    const gradient = plus(times(matrix, v), -rayleigh(matrix, v), v);
    squares = squares.map((value, k) => 0.99 * value + 0.01 * gradient[k] ** 2);
    v = unit(v.map((value, k) => value - (rate * gradient[k]) / (Math.sqrt(squares[k]) + 1e-8)));
    trace.push(rayleigh(whole, v));
  }
  return { trace, v };
}

/** The task of the pictures: two weights, and what one neuron makes of them. */
export function drawnNeuron() {
  const task = makeTask({
    seed: 7,
    points: 400,
    teachers: [
      [2.2, 0.4],
      [-0.4, 1.6],
    ],
  });
  const weights = fitted(task, [0.6, 0.9]);
  const matrix = splittingMatrix(task, weights);
  const [low, high] = eigen(matrix);
  return { task, weights, matrix, low, high, before: loss(task, [weights]) };
}

/** Loss of the two offspring at weights ± displacement. */
export function splitLoss({ task, weights }, displacement) {
  return loss(task, [plus(weights, 1, displacement), plus(weights, -1, displacement)]);
}
