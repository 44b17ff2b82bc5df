import { expect, test } from 'vitest';
import {
  type LinearProgram,
  ratioOrder,
  SOLVERS,
  solveLp,
  solverFor,
} from '../../../lib/split/choose/solvers.js';
import { assertClose, randomOf } from '../../reference.js';

function randomProgram(seed: number, n: number, budgets: number): LinearProgram {
  const random = randomOf(seed);
  const list = (scale: number) => Float64Array.from({ length: n }, () => Math.round(1 + random() * scale));
  const costs = Array.from({ length: budgets }, (_, j) => list(10 ** (2 + j)));
  const total = (row: Float64Array): number => row.reduce((s, c) => s + c, 0);
  return {
    values: list(1000),
    costs,
    budgets: costs.map((row) => Math.round(total(row) * (0.1 + 0.6 * random()))),
  };
}

/** Optimum of a small program by trying every vertex: `budgets.length` variables are basic, the others 0 or 1. */
function bruteForce({ values, costs, budgets }: LinearProgram): number {
  const n = values.length;
  let best = 0;
  for (let mask = 0; mask < 3 ** n; mask += 1) {
    // Each variable is 0, 1 or free; the free ones make that many budgets tight.
    const states = Array.from({ length: n }, (_, i) => Math.floor(mask / 3 ** i) % 3);
    const free = states.flatMap((s, i) => (s === 2 ? [i] : []));
    if (free.length > costs.length) continue;
    for (const tight of subsets(costs.length, free.length)) {
      const left = tight.map(
        (j) => (budgets[j] ?? 0) - states.reduce((s, t, i) => s + (t === 1 ? (costs[j]?.[i] ?? 0) : 0), 0),
      );
      const x = solveSquare(
        tight.map((j) => free.map((i) => costs[j]?.[i] ?? 0)),
        left,
      );
      if (x === undefined || x.some((v) => v < -1e-9 || v > 1 + 1e-9)) continue;
      const beta = states.map((s): number => (s === 1 ? 1 : 0));
      for (const [k, i] of free.entries()) beta[i] = x[k] ?? 0;
      const dot = (row: ArrayLike<number>): number => beta.reduce((s, b, i) => s + b * (row[i] ?? 0), 0);
      if (costs.every((row, j) => dot(row) <= (budgets[j] ?? 0) * (1 + 1e-9)))
        best = Math.max(best, dot(values));
    }
  }
  return best;
}

function subsets(n: number, k: number): number[][] {
  if (k === 0) return [[]];
  if (n < k) return [];
  return [...subsets(n - 1, k), ...subsets(n - 1, k - 1).map((set) => [...set, n - 1])];
}

/** Cramer's rule, up to 2 x 2. */
function solveSquare(a: readonly (readonly number[])[], b: readonly number[]): number[] | undefined {
  const [[p = 0, q = 0] = [], [r = 0, s = 0] = []] = a;
  const [x = 0, y = 0] = b;
  if (a.length === 0) return [];
  if (a.length === 1) return p === 0 ? undefined : [x / p];
  const det = p * s - q * r;
  return det === 0 ? undefined : [(x * s - q * y) / det, (p * y - x * r) / det];
}

const close = (a: number, b: number, note: string): void =>
  assertClose([a], [b], { rtol: 1e-6, atol: 1e-9, note });

test('the three solvers agree with brute force on one budget', async () => {
  for (let seed = 0; seed < 12; seed += 1) {
    const program = randomProgram(seed, 7, 1);
    const want = bruteForce(program);
    for (const [name, solve] of Object.entries(SOLVERS))
      close((await solve(program)).objective, want, `seed ${seed} ${name}`);
  }
});

test('the simplex and HiGHS agree with brute force on two budgets', async () => {
  for (let seed = 0; seed < 12; seed += 1) {
    const program = randomProgram(seed, 7, 2);
    const want = bruteForce(program);
    for (const name of ['simplex', 'highs'] as const)
      close((await SOLVERS[name](program)).objective, want, `seed ${seed} ${name}`);
  }
});

test('the solvers agree with each other at a hundred variables, and keep every budget', async () => {
  for (const budgets of [1, 2, 3]) {
    const program = randomProgram(budgets, 100, budgets);
    const names =
      budgets === 1 ? (['dantzig', 'simplex', 'highs'] as const) : (['simplex', 'highs'] as const);
    const found = await Promise.all(names.map((name) => SOLVERS[name](program)));
    for (const { objective, beta } of found) {
      close(objective, found[0]?.objective ?? 0, `${budgets} budgets`);
      expect(beta.every((b) => b >= 0 && b <= 1)).toBe(true);
      for (const [j, row] of program.costs.entries()) {
        expect(beta.reduce((s, b, i) => s + b * (row[i] ?? 0), 0)).toBeLessThanOrEqual(
          (program.budgets[j] ?? 0) * (1 + 1e-6),
        );
      }
    }
  }
});

test('a budget of 0 allows only what is free, and no variables give an objective of 0', async () => {
  const free = { values: Float64Array.of(5, 3), costs: [Float64Array.of(2, 0)], budgets: [0] };
  const nothing = { values: new Float64Array(), costs: [new Float64Array()], budgets: [4] };
  for (const [name, solve] of Object.entries(SOLVERS)) {
    close((await solve(free)).objective, 3, name);
    expect((await solve(nothing)).objective, name).toBe(0);
  }
});

test('the ratio order is by value over the largest share of a budget, ties as given', () => {
  const program = {
    values: Float64Array.of(1, 4, 4, 9, 2),
    costs: [Float64Array.of(1, 2, 2, 9, 0), Float64Array.of(1, 1, 1, 1, 0)],
    budgets: [10, 10],
  };
  expect([...ratioOrder(program)]).toEqual([4, 1, 2, 0, 3]);
});

test('one budget goes to Dantzig, several to the simplex when small and to HiGHS when large', async () => {
  for (const [n, budgets] of [
    [5, 1],
    [5, 2],
    [301, 2],
  ] as const) {
    const program = randomProgram(0, n, budgets);
    const { solver, objective } = await solveLp(program);
    expect(solver).toBe(solverFor(program));
    expect(objective).toBe((await SOLVERS[solver](program)).objective);
  }
  expect(solverFor(randomProgram(0, 5000, 1))).toBe('dantzig');
  expect(solverFor(randomProgram(0, 300, 2))).toBe('simplex');
  expect(solverFor(randomProgram(0, 301, 2))).toBe('highs');
});

test('Dantzig refuses a second budget', async () => {
  await expect(SOLVERS.dantzig(randomProgram(0, 5, 2))).rejects.toMatchObject({ code: 'E_INTERNAL' });
});
