// Why energy matters: what each neuron of the demo's first stage promises and costs, and what three strategies make of the same budget.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPreset, channelGroups, macs, marginalCost } from '../../dist/index.js';
import { choose } from '../../dist/split/choose/strategy.js';
import { ROOT } from '../steps.mjs';
import { dot, picture, plot, text } from './svg.mjs';

const WORDS = { 'energy-aware': 'index over MACs', vanilla: 'index alone', random: 'at random' };

/** Every neuron with its index, its marginal MACs and whether energy-aware splitting takes it; what each strategy reaches. */
export async function demoStage() {
  const file = join(ROOT, 'docs', 'images', 'demo-stage-0.json');
  const { preset, growthRatio, indices } = JSON.parse(readFileSync(file, 'utf8'));
  const { name, ...options } = preset;
  const graph = buildPreset(name, options);
  const given = new Map(Object.entries(indices));
  const choices = {};
  for (const strategy of Object.keys(WORDS))
    choices[strategy] = await choose(graph, given, { growthRatio, strategy, seed: 0 });
  const taken = new Set(choices['energy-aware'].picks.map(({ group, neuron }) => `${group} ${neuron}`));
  const neurons = channelGroups(graph)
    .filter(({ isSplittable }) => isSplittable)
    .flatMap(({ id }) => {
      const cost = marginalCost(graph, id, 'macs');
      return indices[id].map((index, neuron) => ({ id, index, cost, isTaken: taken.has(`${id} ${neuron}`) }));
    });
  return { neurons, choices, before: macs(graph), bound: choices.vanilla.certificate.bound };
}

function scatter(neurons) {
  const { at, marks } = plot({
    box: [56, 58, 446, 298],
    x: {
      range: [100, 20000],
      isLog: true,
      ticks: [
        [100, '100'],
        [1000, '1,000'],
        [10000, '10,000'],
      ],
      label: 'MACs of one more neuron',
    },
    y: { range: [-0.1, 0.3], ticks: [-0.1, 0, 0.1, 0.2, 0.3], label: 'decrease promised: −index' },
  });
  const layers = [...new Set(neurons.map(({ id }) => id))];
  return [
    marks,
    neurons.map(({ index, cost, isTaken }) =>
      isTaken ? dot(at([cost, -index]), 'fa') : `${dot(at([cost, -index]), 'b page', 3.4)}`,
    ),
    layers.map((id, i) => {
      const { cost } = neurons.find((one) => one.id === id);
      return text(at([cost, 0])[0], 74 + 14 * (i % 2), id, 'soft small', 'middle');
    }),
  ];
}

function bars({ choices, bound }) {
  const [left, full] = [520, 270];
  const length = (sum) => (full * -sum) / 1.5;
  return Object.entries(choices).map(([strategy, { picks, certificate }], i) => {
    const y = 82 + 62 * i;
    const sum = certificate.objective;
    return [
      text(left, y, `${strategy}: ${WORDS[strategy]}`),
      `<rect class="${i === 0 ? 'fa' : 'fb'}" x="${left}" y="${y + 8}" width="${Math.round(length(sum) * 10) / 10}" height="16"/>`,
      text(left + length(bound) + 8, y + 21, `${(-sum).toFixed(3)}, ${picks.length} neurons`, 'soft'),
      `<line class="axis dash" x1="${left + length(bound)}" x2="${left + length(bound)}" y1="${y + 2}" y2="${y + 30}"/>`,
    ];
  });
}

/** docs/images/energy.svg */
export async function energy() {
  const stage = await demoStage();
  const { budgets } = stage.choices['energy-aware'].certificate;
  return picture(
    {
      width: 920,
      height: 356,
      title: 'Why energy matters',
      description:
        'Neurons by marginal MACs and promised decrease, those that energy-aware splitting takes filled; the sum of decreases by strategy at one budget.',
    },
    [
      text(24, 24, 'Each neuron of the demo’s seed network (filled: split)', 'ink title'),
      scatter(stage.neurons),
      text(
        496,
        24,
        `What ${(budgets[0].limit - budgets[0].before).toLocaleString('en')} MACs of growth buy`,
        'ink title',
      ),
      text(496, 44, 'sum of −index over the neurons that are split', 'soft'),
      bars(stage),
      text(520, 280, `dashed: no choice within the budget passes ${(-stage.bound).toFixed(3)}`, 'soft'),
      text(520, 298, '(optimum of the linear relaxation)', 'soft'),
    ],
  );
}
