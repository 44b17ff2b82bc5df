// Growth by the recipe `growth` from seeds and in steps of several sizes, to two budgets: what `npm run bench -- growth` tries.
import { LAST_MACS, variant } from './recipes-table.mjs';

const SMALL = 403_500;

/** Budgets of MACs, with the 10^12 multiply-adds that each network gets, search included. */
export const TARGETS = [
  { macs: SMALL, compute: 0.58 },
  { macs: LAST_MACS, compute: 0.63 },
];

/**
 * to: the budget. width: channels of the seed network. ratio: growth a stage. each: epochs of the stages before the last.
 * isAgain: its architectures are trained from scratch too. isTried: seed 0 alone.
 */
const ROWS = [
  { to: SMALL, width: 8, ratio: 0.5, each: 3, isAgain: true },
  { to: SMALL, width: 8, ratio: 0.25, each: 2, isAgain: true },
  { to: SMALL, width: 8, ratio: 0.25, each: 2, strategy: 'cost-only', isTried: true },
  { to: SMALL, width: 8, ratio: 0.15, each: 1, isTried: true },
  { to: SMALL, width: 4, ratio: 0.5, each: 2 },
  { to: SMALL, width: 4, ratio: 0.25, each: 1, isAgain: true },
  { to: SMALL, width: 4, ratio: 0.25, each: 1, strategy: 'cost-only' },
  { to: SMALL, width: 4, ratio: 0.25, each: 1, strategy: 'random', isTried: true },
  { to: SMALL, width: 4, ratio: 0.15, each: 1, isTried: true },
  { to: SMALL, width: 2, ratio: 0.5, each: 1, isTried: true },
  { to: SMALL, width: 2, ratio: 0.25, each: 1, isTried: true },
  { to: LAST_MACS, width: 8, ratio: 0.5, each: 3, isAgain: true },
  { to: LAST_MACS, width: 8, ratio: 0.25, each: 1 },
  { to: LAST_MACS, width: 6, ratio: 0.25, each: 1, isAgain: true },
  { to: LAST_MACS, width: 6, ratio: 0.25, each: 1, strategy: 'cost-only' },
  { to: LAST_MACS, width: 4, ratio: 0.25, each: 1, isTried: true },
];

/** Recipes to one budget, as `recipes.mjs` runs them, with what their row says. */
export function growthsOf(macs) {
  return ROWS.filter(({ to }) => to === macs).map(({ strategy = 'energy-aware', ...row }) => {
    const { width, ratio, each } = row;
    const set = {
      'fit.optimizer.learningRate': 0.4,
      'network.width': width,
      'splitting.strategy': strategy,
    };
    const name = `${strategy} from ${width} channels by ${ratio}, ${each} epochs a stage`;
    return { ...variant(name, '', set), ...row, strategy, epochs: [each] };
  });
}
