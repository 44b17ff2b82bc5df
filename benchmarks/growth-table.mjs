// Growth by the recipe `growth` from seeds and in steps of several sizes, to two budgets: what `npm run bench -- growth` tries.
import { LAST_MACS, variant } from './recipes-table.mjs';

/** Budgets of MACs, with the 10^12 multiply-adds that each network gets, search included. */
export const TARGETS = [
  { macs: 403_500, compute: 0.58 },
  { macs: LAST_MACS, compute: 0.63 },
];

/** Strategies by the word that a row's name has for them. */
const STRATEGY = [
  ['cost only', 'cost-only'],
  ['random', 'random'],
];

/**
 * width: channels of the seed network, 8 unless given. each: epochs of the stages before the last. isAgain: its architectures
 * are trained from scratch too. isTried: seed 0 alone. at: the budget, both unless given.
 */
const ROWS = [
  { name: 'rate 0.4', ratio: 0.5, each: 3, isAgain: true },
  { name: 'rate 0.4, ratio 0.25', each: 2, isAgain: true, at: 0 },
  { name: 'rate 0.4, ratio 0.25, epochs 1', at: 1 },
  { name: 'rate 0.4, ratio 0.15', ratio: 0.15, isTried: true, at: 0 },
  { name: 'rate 0.4, cost only, ratio 0.25', each: 2, isTried: true, at: 0 },
  { name: 'rate 0.4, width 4', ratio: 0.5, each: 2, width: 4, at: 0 },
  { name: 'rate 0.4, width 4, ratio 0.25', width: 4, isAgain: true, at: 0 },
  { name: 'rate 0.4, cost only, width 4, ratio 0.25', width: 4, at: 0 },
  { name: 'rate 0.4, random, width 4, ratio 0.25', width: 4, isTried: true, at: 0 },
  { name: 'rate 0.4, width 4, ratio 0.15', ratio: 0.15, width: 4, isTried: true, at: 0 },
  { name: 'rate 0.4, width 2, ratio 0.25', width: 2, isTried: true, at: 0 },
  { name: 'rate 0.4, width 2, ratio 0.5', ratio: 0.5, width: 2, isTried: true, at: 0 },
  { name: 'rate 0.4, width 6, ratio 0.25', width: 6, isAgain: true, at: 1 },
  { name: 'rate 0.4, cost only, width 6, ratio 0.25', width: 6, at: 1 },
  { name: 'rate 0.4, width 4, ratio 0.25', width: 4, isTried: true, at: 1 },
];

/** Rows of one budget, as `recipes.mjs` runs them. */
export function growthsOf(at) {
  return ROWS.filter((row) => (row.at ?? at) === at).map(
    ({ name, ratio = 0.25, each = 1, width = 8, isAgain = false, isTried = false }) => ({
      ...variant(
        name,
        `${width} channels, steps of ${ratio}, ${each} ${each === 1 ? 'epoch' : 'epochs'} a stage`,
        {
          'fit.optimizer.learningRate': 0.4,
          ...(width !== 8 && { 'network.width': width }),
          ...Object.fromEntries(
            STRATEGY.filter(([word]) => name.includes(word)).map(([, given]) => [
              'splitting.strategy',
              given,
            ]),
          ),
        },
        { ratio, epochs: [each], width, isAgain, isTried },
      ),
    }),
  );
}
