// splitgrow compare: the rivals of an experiment file, without growing.
import { compare } from '../api/compare.js';
import { defineCommand } from './command.js';
import { EXPERIMENT_ARGUMENTS, EXPERIMENT_FLAGS, networksTable, overridesOf } from './experiments.js';

export const COMPARE = defineCommand({
  name: 'compare',
  isCollective: true,
  summary:
    'trains the rivals of an experiment file, against its grown run or to targets in MACs; continues where it was stopped',
  hasStages: true,
  arguments: EXPERIMENT_ARGUMENTS,
  flags: EXPERIMENT_FLAGS,
  examples: [
    [
      `splitgrow compare experiments/demo.json --set 'compare=["prune-bn"]'`,
      'another rival of a run that has been grown',
    ],
    [
      `splitgrow compare experiments/demo.json --set 'compare=[{"method":"morphnet","targets":[400000]}]' --set output=runs/morphnet`,
      'MorphNet alone, at 400,000 MACs',
    ],
  ],
  run: async (values, { control }) => {
    const document = await compare({ experiment: values.experiment, set: overridesOf(values) }, control);
    return { document, text: (style) => networksTable(document, document.compare ?? [], style) };
  },
});
