// splitgrow train: parametric updates only, by an experiment file.
import { train } from '../api/train.js';
import { defineCommand } from './command.js';
import { EXPERIMENT_ARGUMENTS, EXPERIMENT_FLAGS, networksTable, overridesOf } from './experiments.js';
import { facts } from './table.js';

export const TRAIN = defineCommand({
  name: 'train',
  isCollective: true,
  summary: 'trains the network of an experiment file (parametric updates only)',
  arguments: EXPERIMENT_ARGUMENTS,
  flags: EXPERIMENT_FLAGS,
  examples: [
    ['splitgrow train experiments/demo.json', 'trains the network and writes it to the output folder'],
    ['splitgrow train experiments/demo.json --set fit.epochs=3 --set output=runs/short', 'with other fields'],
  ],
  run: async (values, { control }) => {
    const document = await train({ experiment: values.experiment, set: overridesOf(values) }, control);
    return {
      document,
      text: (style) =>
        [
          networksTable(document, document.compare ?? [], style),
          facts(
            document.stages.map(({ directory }) => ['network', directory]),
            style,
          ),
        ].join('\n\n'),
    };
  },
});
