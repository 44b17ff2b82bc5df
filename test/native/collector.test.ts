// What the garbage collector is told of native memory: handles that are dropped without being disposed of go in time.
import { expect, test } from 'vitest';
import { lower } from '../../lib/graph/lower.js';
import { core, graphOf } from './golden.js';

/** A linear layer of a million weights: with its gradients 8 MB. */
const GRAPH = graphOf(
  [1, 32, 32],
  [
    ['flat', 'flatten', 'input'],
    ['wide', 'linear', 'flat', { out: 1024 }],
    ['out', 'linear', 'wide', { out: 2 }],
  ],
);
const WEIGHTS = 1024 * 1024 + 1024 + 2 * 1024 + 2;

test('networks that are made and dropped in a loop are collected: memory stays bounded', async () => {
  const program = lower(GRAPH);
  const before = core().memory('cpu').allocated;
  let most = 0;
  for (let i = 0; i < 150; i += 1) {
    core().createNetwork(program, [], 1, 'cpu');
    // Where the collector's clean-up may run.
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, core().memory('cpu').allocated - before);
  }
  // All of them would be 1,260 MB.
  expect(most).toBeLessThan(150 * 2 * 4 * WEIGHTS * 0.6);
});
