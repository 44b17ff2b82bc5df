// The tables of steps.mjs as Markdown.
import { fixed, machineLine, markdown, targetsTable } from './common.mjs';

const TITLES = {
  train: 'training step',
  forward: 'forward',
  rayleigh: 'Rayleigh step, closed form',
  auxiliary: 'Rayleigh step, auxiliary activation',
  exact: 'exact splitting matrices',
  eigen: 'eigensolver, once a pass',
};

const MIB = 2 ** 20;

/** The result as a section of results/README.md. */
export function stepsMarkdown({ machine: about, settings, pytorch, networks, targets }) {
  const parts = [
    '## Steps',
    `Milliseconds a minibatch, ${settings.device === 'cpu' ? `${settings.threads} threads` : settings.device}, float32. ` +
      `Median: the median over ${settings.rounds} processes of each process’s median. Least: the least of all. ` +
      `${pytorch.python === null ? `PyTorch was not measured: ${pytorch.reason}.` : `PyTorch ${pytorch.version}, eager, fused SGD.`}`,
    targetsTable(targets),
  ];
  for (const { title, macs: count, batch, splitgrow, pytorch: theirs, ratios, logitDifference } of networks) {
    const rows = [
      ...Object.keys(TITLES).map((step) => ({
        who: 'splitgrow',
        what: TITLES[step],
        ...splitgrow[step],
        ratio: ratios.inTrainingSteps[step].median,
      })),
      ...Object.entries(theirs).flatMap(([layout, steps]) =>
        Object.entries(steps).map(([step, found]) => ({
          ...{ who: `PyTorch, ${layout}`, what: TITLES[step], ...found },
          ratio: found.medianMs / splitgrow.train.medianMs,
        })),
      ),
    ];
    parts.push(
      `### ${title}: ${count.toLocaleString('en-US')} MACs, batch ${batch}`,
      markdown(
        [
          { title: 'program', cell: ({ who }) => who },
          { title: 'step', cell: ({ what }) => what },
          { title: 'median ms', cell: ({ medianMs }) => fixed(medianMs, 2), isNumber: true },
          { title: 'least ms', cell: ({ minMs }) => fixed(minMs, 2), isNumber: true },
          { title: 'of splitgrow’s training step', cell: ({ ratio }) => fixed(ratio, 2), isNumber: true },
          {
            title: 'peak MiB',
            cell: ({ peakBytes }) => fixed(peakBytes === null ? null : peakBytes / MIB, 1),
            isNumber: true,
          },
        ],
        rows,
      ),
      [
        ratios.trainToPyTorch.median === null
          ? ''
          : `A training step takes ${fixed(ratios.trainToPyTorch.median, 2)} of PyTorch’s faster layout (${fixed(ratios.trainToPyTorch.min, 2)} by the least times), ` +
            `a forward pass ${fixed(ratios.forwardToPyTorch.median, 2)}, a Rayleigh step ${fixed(ratios.inPyTorchTrainingSteps.rayleigh, 2)} of PyTorch’s training step. ` +
            `Logits of the two programs differ by ${logitDifference.toExponential(1)} of the largest.`,
      ].join(''),
    );
  }
  parts.push(machineLine(about));
  return parts.filter((part) => part !== '').join('\n\n');
}
