// What methods cost: seconds of fitting, searching and evaluating, and the same in training steps of the seed network.
import type { StageSeconds } from '../native/events.js';
import type { RivalRecord, StageRecord } from '../run/store/records.js';
import type { SearchCost } from './result.js';

/** Of numbers. */
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const searched = ({ indices, select, grow }: StageSeconds): number => indices + select + grow;
/** Seconds of all phases. */
export const allOf = (seconds: StageSeconds): number => seconds.fit + searched(seconds) + seconds.evaluate;

/** Seconds of one training step of the seed network, `steps` an epoch: of the first stage that was fitted, or 0 where none was. */
export function stepSeconds(stages: readonly StageRecord[], steps: number): number {
  const fitted = stages.find(({ epochs }) => epochs.length > 0);
  if (fitted === undefined) return 0;
  const epochs = fitted.epochs.length + (fitted.finish?.length ?? 0);
  return fitted.seconds.fit / (epochs * steps);
}

function costOf(seed: number, parts: Omit<SearchCost, 'seed' | 'trainingSteps'>, step: number): SearchCost {
  return { seed, ...parts, trainingSteps: step > 0 ? (parts.fit + parts.search) / step : 0 };
}

/** Everything from the seed network to the last stage; the last stage's own splitting would be for a next one. */
export function grownCost(seed: number, stages: readonly StageRecord[], step: number): SearchCost {
  const seconds = stages.map((stage) => stage.seconds);
  return costOf(
    seed,
    {
      fit: sum(seconds.map(({ fit }) => fit)),
      search: sum(seconds.slice(0, -1).map(searched)),
      evaluate: sum(seconds.map(({ evaluate }) => evaluate)),
    },
    step,
  );
}

/** The fits of all its networks, and what it took to find them. */
export function rivalCost(seed: number, rivals: readonly RivalRecord[], step: number): SearchCost {
  return costOf(
    seed,
    {
      fit: sum(rivals.map(({ seconds }) => seconds.fit)),
      search: sum(rivals.map(({ searchSeconds }) => searchSeconds)),
      evaluate: sum(rivals.map(({ seconds }) => seconds.evaluate)),
    },
    step,
  );
}

/** Costs with one entry a seed. */
export function withCost(costs: readonly SearchCost[], cost: SearchCost): readonly SearchCost[] {
  const known = costs.find(({ seed }) => seed === cost.seed);
  if (known === undefined) return [...costs, cost];
  const both: SearchCost = {
    seed: cost.seed,
    fit: known.fit + cost.fit,
    search: known.search + cost.search,
    evaluate: known.evaluate + cost.evaluate,
    trainingSteps: known.trainingSteps + cost.trainingSteps,
  };
  return costs.map((one) => (one === known ? both : one));
}
