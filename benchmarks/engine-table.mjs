// The page of engine.mjs as Markdown.
import { fixed, machineLine, markdown, median, numberColumn, targetsTable } from './common.mjs';
import { STEPS } from './engine-targets.mjs';

const MIB = 2 ** 20;

const LEFT = [{ title: 'program', cell: ({ program }) => program }];

function timesTable(times) {
  return markdown(
    [
      ...LEFT,
      { title: 'step', cell: ({ step }) => STEPS[step] },
      numberColumn('threads', ({ threads }) => threads),
      { title: 'beside', cell: ({ isBusy }) => (isBusy ? 'a busy process on each core' : '') },
      numberColumn('median ms', ({ medianMs }) => medianMs, 2),
      {
        title: 'quartiles',
        cell: ({ q1Ms, q3Ms }) => `${fixed(q1Ms, 2)} to ${fixed(q3Ms, 2)}`,
        isNumber: true,
      },
      {
        title: 'means of rounds',
        cell: ({ rounds }) => rounds.map(({ meanMs }) => fixed(meanMs, 2)).join(', '),
        isNumber: true,
      },
    ],
    times,
  );
}

function phasesTable(phases) {
  const rows = phases.flatMap(({ program, epochSeconds, methods }) =>
    Object.entries(methods).map(([method, found]) => ({ program, epochSeconds, method, ...found })),
  );
  return markdown(
    [
      ...LEFT,
      { title: 'method', cell: ({ method }) => method },
      numberColumn('seconds', ({ seconds }) => seconds, 2),
      numberColumn('passes', ({ passes }) => passes || null),
      numberColumn('an epoch, seconds', ({ epochSeconds }) => median(epochSeconds), 2),
      numberColumn('from exact, %', ({ error }) => (error === undefined ? null : 100 * error), 2),
      numberColumn('worst neuron, %', ({ worst }) => (worst === undefined ? null : 100 * worst), 2),
      { title: '', cell: ({ leftOut = '' }) => leftOut },
    ],
    rows,
  );
}

function networkParts({ name, title, macs, params, batch, logitDifference }, { times, memory, phases }) {
  const of = (rows) => rows.filter(({ network }) => network === name);
  const rows = of(memory);
  const splitting = of(phases);
  return [
    `## ${title}: ${macs.toLocaleString('en-US')} MACs, ${params.toLocaleString('en-US')} parameters, batch ${batch}`,
    timesTable(of(times)),
    `Logits of the programs differ by ${logitDifference?.toExponential(1)} of the largest.`,
    markdown(
      [
        ...LEFT,
        numberColumn('memory of training steps, MiB', ({ residentBytes }) => median(residentBytes) / MIB, 1),
        numberColumn('of tensors in one step, MiB', ({ tensorBytes }) => median(tensorBytes) / MIB, 1),
      ],
      rows,
    ),
    ...(splitting.length === 0
      ? []
      : [`Splitting phase, 1 thread, images of ${splitting[0].data}:`, phasesTable(splitting)]),
  ];
}

function wholesTable(wholes) {
  const rows = Object.entries(wholes).map(([program, found]) => ({ program, ...found }));
  return markdown(
    [
      ...LEFT,
      numberColumn('demo, s', ({ demo }) => demo.seconds, 1),
      numberColumn('epoch over CIFAR-10, s', ({ epoch }) => epoch.seconds, 2),
      {
        title: '',
        cell: ({ demo, epoch }) => [demo, epoch].flatMap(({ leftOut = [] }) => leftOut).join('; '),
      },
    ],
    rows,
  );
}

/** How a target's ratio spreads over the rounds. */
const SPREAD = {
  title: 'of rounds',
  cell: ({ least, most }) => (least === undefined ? '' : `${fixed(least, 3)} to ${fixed(most, 3)}`),
  isNumber: true,
};

export function engineMarkdown(document) {
  const {
    machine: about,
    instructions,
    load,
    settings,
    pytorch,
    leftOut,
    targets,
    networks,
    wholes,
  } = document;
  const loads = [load.before, load.after].map((values) => values.map((one) => one.toFixed(1)).join(' '));
  const programs = [...new Set(targets.map(({ program }) => program))];
  return [
    '# Training and splitting on a CPU beside PyTorch',
    `Written by \`npm run bench -- engine\`; how, is told [there](../README.md#the-engine). ${settings.rounds} rounds of ${settings.repeats} steps, float32, PyTorch ${pytorch.version}. ` +
      'A ratio is the median over the rounds of our median step over that of PyTorch’s fastest program; beside other work, of means.',
    machineLine(about),
    `Instructions: ${instructions.join(', ')}. Load average before: ${loads[0]}; after: ${loads[1]}.`,
    ...leftOut.map(
      ({ program, network, reason }) => `Left out: ${program} on ${network}: ${reason.split('\n')[0]}`,
    ),
    ...programs.flatMap((program) => [
      `## Targets: ${program}`,
      targetsTable(
        targets.filter((target) => target.program === program),
        [
          numberColumn('aim', ({ aim }) => aim, 3),
          SPREAD,
          { title: 'against', cell: ({ best = '' }) => best },
        ],
      ),
    ]),
    ...networks.flatMap((network) => networkParts(network, document)),
    ...(Object.keys(wholes).length === 0 ? [] : ['## Whole runs, all cores', wholesTable(wholes)]),
  ].join('\n\n');
}
