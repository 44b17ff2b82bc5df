// The `deliver` part of an experiment: which network a run hands over, and what training it again from scratch may take.
import { z } from 'zod';
import { isRecord } from '../../machine/files/json.js';
import { nothing, part } from './effects.js';

/** What may be handed over. */
const WHICH = ['grown', 'retrain', 'best'] as const;

export const DELIVER = part({
  which: nothing(
    z
      .enum(WHICH)
      .default('grown')
      .describe(
        "`grown`: the last grown network (the paper's); `retrain`: its architecture, trained from scratch; `best`: whichever of the two is better on validation images",
      ),
  ),
  compute: nothing(
    z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe(
        'multiply-adds of growth and of training again together; null: for training again as many as growth took',
      ),
  ),
  learningRate: nothing(
    z
      .number()
      .min(0)
      .nullable()
      .default(null)
      .describe('full rate of training from scratch; null: `fit.optimizer.learningRate`'),
  ),
  stages: nothing(
    z
      .boolean()
      .default(false)
      .describe('every stage is delivered so: `output/delivered/stage-k` besides `output/best`'),
  ),
});

/** The `deliver` part of an experiment, checked, with every default; its fields are those of the reference. */
export interface DeliverSpec extends z.output<typeof DELIVER> {}

type Json = Readonly<Record<string, unknown>>;

/** `"deliver": "best"` stands for `{ "which": "best" }`. */
export function namedDelivery(json: unknown): unknown {
  if (!isRecord(json) || typeof json.deliver !== 'string') return json;
  return { ...json, deliver: { which: json.deliver } } satisfies Json;
}
