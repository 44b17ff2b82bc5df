// Costs and strategies of the caller's own: functions that an experiment calls by name.
import { SplitgrowError } from '../../errors.js';
import { type CostFunction, ownCost } from '../../graph/caller-cost.js';
import { COSTS, type Cost, costNamed } from '../../graph/cost.js';
import { didYouMean, row, show } from '../../graph/fields.js';
import {
  callerStrategy,
  STRATEGIES,
  type Strategy,
  type StrategyFunction,
} from '../../split/choose/strategies.js';
import { OWN_NAME } from './choice.js';
import type { Spec } from './experiment.js';

/** Costs and strategies of your own, by the name that the experiment has for them. They are used where it names them. */
export interface Extensions {
  /** For `splitting.cost` and `stop.costs`. */
  readonly costs?: Readonly<Record<string, CostFunction>> | undefined;
  /** For `splitting.strategy`. */
  readonly strategies?: Readonly<Record<string, StrategyFunction>> | undefined;
}

/** Extensions as rows of the tables that they extend. */
export interface CallerTables {
  readonly costs: Readonly<Record<string, Cost>>;
  readonly strategies: Readonly<Record<string, Strategy>>;
}

export const NONE: CallerTables = { costs: {}, strategies: {} };

function rowsOf<F, T>(
  what: 'costs' | 'strategies',
  functions: Readonly<Record<string, F>> | undefined,
  table: Readonly<Record<string, T>>,
  make: (name: string, of: F) => T,
): Readonly<Record<string, T>> {
  if (functions !== undefined && (typeof functions !== 'object' || functions === null))
    throw new SplitgrowError(
      'E_ARGUMENT',
      `${what}: expected an object of functions, got ${show(functions)}`,
    );
  const rows = Object.entries(functions ?? {}).map(([name, of]) => {
    const place = `${what}: ${show(name)}`;
    if (!OWN_NAME.test(name))
      throw new SplitgrowError('E_ARGUMENT', `${place}: expected a name of letters, digits, - and _`);
    if (row(table, name) !== undefined) {
      const known = Object.keys(table).join(', ');
      throw new SplitgrowError('E_ARGUMENT', `${place}: expected a name besides ${known}, which are taken`);
    }
    if (typeof of !== 'function')
      throw new SplitgrowError('E_ARGUMENT', `${place}: expected a function, got ${show(of)}`);
    return [name, make(name, of)] as const;
  });
  return Object.fromEntries(rows);
}

/**
 * `signal`: what a strategy that does not answer is given up by.
 * @throws E_ARGUMENT for a name that is taken or cannot be one, and for what is no function
 */
export function callerTablesOf({ costs, strategies }: Extensions, signal?: AbortSignal): CallerTables {
  const strategy = (name: string, of: StrategyFunction): Strategy => callerStrategy(name, of, signal);
  return {
    costs: rowsOf<CostFunction, Cost>('costs', costs, COSTS, ownCost),
    strategies: rowsOf<StrategyFunction, Strategy>('strategies', strategies, STRATEGIES, strategy),
  };
}

/** The cost of that name: of the caller, or of the table. */
export function knownCost(callers: CallerTables, name: string): Cost {
  return row(callers.costs, name) ?? costNamed(name);
}

type Named = Pick<Spec, 'splitting' | 'stop'>;

/** Names of the costs that the experiment limits, in its order; MACs aside. */
export function costsNamed({ splitting, stop }: Named): readonly string[] {
  return [...new Set([splitting.cost, Object.keys(stop.costs ?? {})].flat())].filter(
    (name) => name !== COSTS.macs.name,
  );
}

/** Costs of the caller's own that the experiment limits. */
export function callerCosts(spec: Named, callers: CallerTables): readonly Cost[] {
  return costsNamed(spec).flatMap((name) => row(callers.costs, name) ?? []);
}

function refuse(field: string, name: string, known: readonly string[], what: 'costs' | 'strategies'): void {
  if (known.includes(name)) return;
  const meant = didYouMean(name, known, 'never') || '.';
  throw new SplitgrowError(
    'E_EXPERIMENT',
    `${field}: expected one of ${known.join(', ')}, got ${show(name)}${meant} ` +
      `One of your own is given in code: grow(experiment, { ${what}: { ${OWN_NAME.test(name) ? JSON.stringify(name) : '<name>'}: ... } })`,
  );
}

/** @throws E_EXPERIMENT where the experiment names a cost or a strategy that is neither in the table nor the caller's */
export function refuseUnknown({ splitting, stop }: Named, callers: CallerTables = NONE): void {
  const costs = [...Object.keys(COSTS), ...Object.keys(callers.costs)];
  for (const name of [splitting.cost].flat()) refuse('splitting.cost', name, costs, 'costs');
  for (const name of Object.keys(stop.costs ?? {})) refuse(`stop.costs.${name}`, name, costs, 'costs');
  const strategies = [...Object.keys(STRATEGIES), ...Object.keys(callers.strategies)];
  refuse('splitting.strategy', splitting.strategy, strategies, 'strategies');
}
