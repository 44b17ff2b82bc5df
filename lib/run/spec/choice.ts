// Parts of `splitting` that say how neurons are chosen: strategies, costs and their estimates, rounding.
import { z } from 'zod';
import { COSTS } from '../../graph/cost.js';
import { INSERTIONS } from '../../split/choose/insertion.js';
import { STRATEGIES } from '../../split/choose/strategies.js';
import { afterStage0, part } from './effects.js';

/** A name that an experiment can have for a cost or strategy of the caller's own, and that `--set` can reach. */
export const OWN_NAME = /^[A-Za-z][\w-]{0,63}$/;
export const OWN = z.string().regex(OWN_NAME);

/** One of a table, or of the caller's own: which of them are there is known where the run starts (extensions.ts). */
export const COST = z.union([z.enum(Object.keys(COSTS)), OWN]);
/** Names of the costs of the table, as Markdown. */
export const COST_NAMES = Object.keys(COSTS)
  .map((name) => `\`${name}\``)
  .join(', ');
export const STRATEGY = z.union([z.enum(Object.keys(STRATEGIES)), OWN]);

/** What the linear relaxation takes a neuron to cost (lib/split/choose/estimate.ts). */
export const COST_ESTIMATE = part({
  estimate: afterStage0(
    z
      .enum(['marginal', 'own-layer'])
      .default('marginal')
      .describe('what a neuron costs in the linear program: `marginal`, or `own-layer`'),
  ),
  transform: afterStage0(
    z.enum(['none', 'sqrt', 'log']).default('none').describe('applied to that: `none`, `sqrt`, `log`'),
  ),
});

export const INSERTION = part({
  kind: afterStage0(
    z
      .enum(INSERTIONS)
      .default('none')
      .describe(
        'new neurons beside splits: `none`, `pairs` of equal fan-in and opposite fan-out, or `gradmax`',
      ),
  ),
  share: afterStage0(
    z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('share of the chosen neurons, the worst ones, that become new neurons'),
  ),
});

export const ROUNDING = part({
  kind: afterStage0(
    z
      .enum(['exchange', 'threshold'])
      .default('exchange')
      .describe('how shares of the linear program become neurons: `exchange` or `threshold`'),
  ),
  threshold: afterStage0(
    z
      .number()
      .positive()
      .max(1)
      .default(0.99)
      .describe('of `threshold`: least share of a neuron that is split'),
  ),
});
