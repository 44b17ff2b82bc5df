// The linear relaxation of the splitting knapsack: one function, and behind it three solvers that tests hold against each other.
import { SplitgrowError } from '../../errors.js';

/** maximise sum values_i beta_i  subject to  sum costs_j_i beta_i <= budgets_j,  0 <= beta_i <= 1; everything >= 0. */
export interface LinearProgram {
  readonly values: Float64Array;
  /** One row a budget, one entry a variable. */
  readonly costs: readonly Float64Array[];
  readonly budgets: readonly number[];
}

export interface LinearSolution {
  readonly beta: Float64Array;
  /** sum values_i beta_i */
  readonly objective: number;
  /** What solved it. */
  readonly solver: SolverName;
  /** `ratioOrder` of the program, where the solver went by it. */
  readonly order?: Int32Array;
}

/** `dantzig`: one budget. `simplex`: javascript-lp-solver. `highs`: HiGHS, compiled to WebAssembly. */
export type SolverName = 'dantzig' | 'simplex' | 'highs';

export type Solver = (program: LinearProgram) => Promise<LinearSolution>;

const at = (list: ArrayLike<number>, i: number): number => list[i] ?? 0;

function solution(solver: SolverName, { values }: LinearProgram, beta: Float64Array): LinearSolution {
  return { solver, beta, objective: beta.reduce((sum, b, i) => sum + b * at(values, i), 0) };
}

/**
 * Variables in the order in which a budget should be spent on them: largest
 * value for its largest share of a budget first. With one budget this is
 * Dantzig's ratio order. Equal ones stay in the order given.
 */
export function ratioOrder({ values, costs, budgets }: LinearProgram): Int32Array {
  const shares = new Float64Array(values.length);
  for (const [j, row] of costs.entries()) {
    const budget = Math.max(at(budgets, j), Number.MIN_VALUE);
    for (let i = 0; i < row.length; i += 1) shares[i] = Math.max(at(shares, i), at(row, i) / budget);
  }
  const ratios = shares.map((share, i) => (share === 0 ? Number.POSITIVE_INFINITY : at(values, i) / share));
  const compare = (a: number, b: number): number => {
    const x = ratios[a] ?? 0;
    const y = ratios[b] ?? 0;
    return x === y ? a - b : y > x ? 1 : -1;
  };
  return Int32Array.from(values.keys()).sort(compare);
}

/** One budget: greedy by value / cost is optimal (Dantzig 1957); O(n log n). */
async function dantzig(program: LinearProgram): Promise<LinearSolution> {
  const [costs, ...others] = program.costs;
  if (costs === undefined || others.length > 0) {
    throw new SplitgrowError('E_INTERNAL', `Dantzig's order solves one budget, got ${program.costs.length}`);
  }
  const beta = new Float64Array(program.values.length);
  let left = Math.max(0, at(program.budgets, 0));
  const order = ratioOrder(program);
  for (const i of order) {
    const cost = at(costs, i);
    const part = cost <= left ? 1 : left / cost;
    beta[i] = part;
    left -= part * cost;
    if (part < 1) break;
  }
  return { ...solution('dantzig', program, beta), order };
}

/** Rows scaled to a largest entry of 1, so that solvers' absolute tolerances mean something. */
function scaled({ values, costs, budgets }: LinearProgram): LinearProgram {
  const largest = (row: Float64Array): number => row.reduce((most, x) => Math.max(most, x), 0) || 1;
  const scales = costs.map(largest);
  const worth = largest(values);
  return {
    values: values.map((v) => v / worth),
    costs: costs.map((row, j) => row.map((c) => c / at(scales, j))),
    budgets: budgets.map((b, j) => Math.max(0, b) / at(scales, j)),
  };
}

/** The default export of a package whose types, unlike its module, nest it once more (types of CommonJS for an ES module). */
function unnested<T>(module: { readonly default: { readonly default: T } }): T {
  return module.default as unknown as T;
}

const within = (beta: number): number => Math.min(1, Math.max(0, beta));

/** Several budgets, few variables: the simplex method of javascript-lp-solver. Its time grows as the cube of the variables. */
async function simplex(program: LinearProgram): Promise<LinearSolution> {
  const { values, costs, budgets } = scaled(program);
  const lp = unnested(await import('javascript-lp-solver'));
  const constraints: Record<string, { max: number }> = {};
  for (const [j, max] of budgets.entries()) constraints[`budget${j}`] = { max };
  const variables: Record<string, Record<string, number>> = {};
  for (const [i, value] of values.entries()) {
    constraints[`most${i}`] = { max: 1 };
    const variable: Record<string, number> = { value, [`most${i}`]: 1 };
    for (const [j, row] of costs.entries()) variable[`budget${j}`] = at(row, i);
    variables[`x${i}`] = variable;
  }
  const found = lp.Solve({ optimize: 'value', opType: 'max', constraints, variables }) as Record<
    string,
    unknown
  >;
  if (found.feasible !== true)
    throw new SplitgrowError('E_INTERNAL', 'javascript-lp-solver found no solution where 0 is one');
  return solution(
    'simplex',
    program,
    values.map((_, i) => within(Number(found[`x${i}`] ?? 0))),
  );
}

/** Several budgets, any size: HiGHS, compiled to WebAssembly, loaded on first use. */
async function highs(program: LinearProgram): Promise<LinearSolution> {
  const { values, costs, budgets } = scaled(program);
  const n = values.length;
  if (n === 0) return solution('highs', program, new Float64Array());
  const solver = await unnested(await import('highs'))();
  const beta = solver.withModel((model) => {
    model.options.set({ output_flag: false });
    model.passModel({
      numCols: n,
      numRows: budgets.length,
      sense: solver.constants.objectiveSense.maximize,
      colCost: values,
      colLower: new Float64Array(n),
      colUpper: new Float64Array(n).fill(1),
      rowLower: budgets.map(() => -solver.infinity),
      rowUpper: [...budgets],
      matrix: {
        format: 'csr',
        numRows: budgets.length,
        numCols: n,
        starts: Int32Array.from({ length: budgets.length + 1 }, (_, j) => j * n),
        indices: Int32Array.from({ length: budgets.length * n }, (_, k) => k % n),
        values: Float64Array.from({ length: budgets.length * n }, (_, k) =>
          at(costs[Math.floor(k / n)] ?? [], k % n),
        ),
      },
    });
    model.run();
    if (model.getModelStatus() !== solver.constants.modelStatus.optimal) {
      throw new SplitgrowError('E_INTERNAL', `HiGHS ended with model status ${model.getModelStatus()}`);
    }
    return Float64Array.from(model.getSolution().colValue, within);
  });
  return solution('highs', program, beta);
}

/** Every solver; `dantzig` takes one budget only. */
export const SOLVERS = { dantzig, simplex, highs } as const satisfies Readonly<Record<SolverName, Solver>>;

/** Variables up to which the simplex method is about as fast as HiGHS or faster. It also loads faster: it is no WebAssembly. */
export const SIMPLEX_VARIABLES = 300;

/** The solver that suits a program: by the number of budgets, then of variables. */
export function solverFor({ values, budgets }: LinearProgram): SolverName {
  if (budgets.length === 1) return 'dantzig';
  return values.length <= SIMPLEX_VARIABLES ? 'simplex' : 'highs';
}

/** The optimum, by the solver that suits the program. The solution names it. */
export function solveLp(program: LinearProgram): Promise<LinearSolution> {
  return SOLVERS[solverFor(program)](program);
}
