// One run, Algorithm 1 of the paper, as a flow.
import { arrow, line, picture, text } from './svg.mjs';

const BOXES = [
  ['seed network', 'a few neurons a layer'],
  ['fit', 'SGD, some epochs'],
  ['evaluate', 'stage-k is written'],
  ['indices', 'λ, v of every neuron'],
  ['select', 'knapsack, hard limit'],
  ['grow', 'twins at θ ± ε v'],
];
const [WIDTH, HEIGHT, STEP, LEFT, TOP] = [130, 54, 150, 22, 60];

/** docs/images/stages.svg */
export function stagesPicture() {
  const middle = TOP + HEIGHT / 2;
  const boxes = BOXES.map(([name, does], i) => {
    const x = LEFT + STEP * i;
    return [
      `<rect class="box" x="${x}" y="${TOP}" width="${WIDTH}" height="${HEIGHT}" rx="5"/>`,
      text(x + WIDTH / 2, TOP + 23, name, 'ink title', 'middle'),
      text(x + WIDTH / 2, TOP + 41, does, 'soft small', 'middle'),
      i > 0 ? arrow([x - STEP + WIDTH, middle], [x, middle], 'axis', 'soft') : [],
    ];
  });
  const [fit, evaluate, grow] = [1, 2, 5].map((i) => LEFT + STEP * i + WIDTH / 2);
  const low = TOP + HEIGHT + 38;
  return picture(
    {
      width: 930,
      height: 206,
      title: 'Growth in stages',
      description:
        'Seed network, fit, evaluate, indices, select, grow, and back to fit; the run ends after an evaluation.',
    },
    [
      text(24, 30, 'Each stage fits the network and splits some of its neurons', 'ink title'),
      boxes,
      line([grow, TOP + HEIGHT], [grow, low], 'axis bold'),
      line([grow, low], [fit, low], 'axis bold'),
      arrow([fit, low], [fit, TOP + HEIGHT], 'axis', 'soft'),
      text(
        (fit + grow) / 2 + 60,
        low - 8,
        'the next stage; with ε = 0 it computes what the last one did',
        'soft',
        'middle',
      ),
      arrow([evaluate, TOP + HEIGHT], [evaluate, low + 32], 'axis', 'soft'),
      text(evaluate + 10, low + 30, 'out of stages or of MACs: rivals, summary, report', 'soft'),
    ],
  );
}
