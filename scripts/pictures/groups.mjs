// Channel groups of a small network with a depthwise convolution and a residual add: one colour a group, as `channelGroups` finds them.
import { channelGroups, parseGraph } from '../../dist/index.js';
import { n, picture, text } from './svg.mjs';

const conv = (id, from, out, kernel = 1) => ({ id, op: 'conv2d', inputs: [from], out, kernel });

/** The network of the picture. */
export const GRAPH = parseGraph({
  format: 'splitgrow-network/1',
  name: 'groups',
  input: { shape: [3, 32, 32] },
  nodes: [
    conv('stem', 'input', 8, 3),
    conv('expand', 'stem', 24),
    { id: 'depthwise', op: 'depthwise_conv2d', inputs: ['expand'], kernel: 3 },
    conv('project', 'depthwise', 8),
    { id: 'sum', op: 'add', inputs: ['stem', 'project'] },
    conv('head', 'sum', 32),
    { id: 'pool', op: 'global_avg_pool', inputs: ['head'] },
    { id: 'classifier', op: 'linear', inputs: ['pool'], out: 10 },
  ],
  output: 'classifier',
});

const WORDS = { depthwise_conv2d: 'filters', add: 'add', global_avg_pool: 'average' };

/** Column and row of each node, by hand. */
const PLACES = {
  stem: [0, 1],
  expand: [1, 0],
  depthwise: [2, 0],
  project: [3, 0],
  sum: [4, 1],
  head: [5, 1],
  pool: [6, 1],
  classifier: [7, 1],
};
const [BOX_WIDTH, BOX_HEIGHT, STEP, LEFT, TOP, ROW] = [92, 44, 108, 34, 76, 92];
const corner = (id) => [LEFT + STEP * PLACES[id][0], TOP + ROW * PLACES[id][1]];

/** Nodes of each group: its producers, and what only passes their channels on. */
function members(group) {
  const ids = new Set(group.producers);
  for (const { id, op, inputs } of GRAPH.nodes) {
    const passes = op !== 'conv2d' && op !== 'linear';
    if (passes && inputs.some((input) => ids.has(input))) ids.add(id);
  }
  return ids;
}

function edge(from, to) {
  const [x1, y1] = [corner(from)[0] + BOX_WIDTH, corner(from)[1] + BOX_HEIGHT / 2];
  const [x2, y2] = [corner(to)[0], corner(to)[1] + BOX_HEIGHT / 2];
  const middle = (x1 + x2) / 2;
  return `<path class="axis" d="M${n(x1)} ${n(y1)}C${n(middle)} ${n(y1)} ${n(middle)} ${n(y2)} ${n(x2)} ${n(y2)}"/>`;
}

/** docs/images/channel-groups.svg */
export function groupsPicture() {
  const groups = channelGroups(GRAPH);
  const colours = new Map();
  let next = 0;
  for (const group of groups) {
    const colour = group.isSplittable ? 'abcd'[next++] : null;
    for (const id of members(group)) colours.set(id, colour);
  }
  const boxes = GRAPH.nodes.map(({ id, op, out }) => {
    const [x, y] = corner(id);
    const colour = colours.get(id);
    return [
      `<rect class="box ${colour ?? ''} ${colour ? 'bold' : ''}" x="${x}" y="${y}" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="5"/>`,
      text(x + BOX_WIDTH / 2, y + 19, id, 'ink', 'middle'),
      text(
        x + BOX_WIDTH / 2,
        y + 35,
        out === undefined ? WORDS[op] : `${out} neurons`,
        'soft small',
        'middle',
      ),
    ];
  });
  const legend = groups
    .filter(({ isSplittable }) => isSplittable)
    .map(({ id, neurons, producers }, i) =>
      text(
        LEFT,
        276 + 20 * i,
        `${producers.join(' and ')}: ${neurons} neurons, one index and one cost each${producers.length > 1 ? `; the add ties them (group ${id})` : ''}`,
        `f${'abcd'[i]}`,
      ),
    );
  return picture(
    {
      width: 930,
      height: 340,
      title: 'Channel groups',
      description:
        'A network as boxes; those whose channels are tied have one colour, and the classifier, which is never split, has none.',
    },
    [
      text(24, 28, 'Channels that are tied grow together', 'ink title'),
      text(
        24,
        48,
        'A depthwise filter belongs to the channel it filters; an add wants its inputs equally wide; the classifier’s outputs are the classes and stay.',
        'soft',
      ),
      GRAPH.nodes.flatMap(({ id, inputs }) =>
        inputs.filter((input) => input !== 'input').map((input) => edge(input, id)),
      ),
      boxes,
      legend,
    ],
  );
}
