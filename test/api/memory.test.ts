// The memory report against sizes counted by hand; networks in scopes, disposed of once and for all.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createNetwork, loadNetwork, memory, network, saveNetwork, scope } from '../../lib/index.js';
import { core, datasetOf, randomBatch, training } from '../native/golden.js';
import { codeOf } from '../reference.js';
import { temporaryFolder } from '../run/tiny.js';

const graph = network({ input: [1, 4, 4], classes: 2 })
  .conv(3)
  .head();
/** conv 3 * 9, batch norm's weight and bias 3 each, classifier 3 * 2 + 2; running mean and variance 3 each. */
const [TRAINED, STATISTICS] = [27 + 6 + 8, 6];
const FLOAT = 4;

function live(kind: string): { readonly handles: number; readonly bytes: number } {
  const row = memory().handles.find((one) => one.kind === kind);
  return { handles: row?.handles ?? 0, bytes: row?.bytes ?? 0 };
}

test('handles are counted with the bytes of their tensors until they are disposed of', async () => {
  const before = live('network');
  const made = createNetwork(graph, { seed: 0, device: 'cpu' });
  // Values and gradients of what is trained, and statistics.
  const bytes = FLOAT * (2 * TRAINED + STATISTICS);
  expect(live('network')).toEqual({ handles: before.handles + 1, bytes: before.bytes + bytes });

  const images = 6;
  const data = datasetOf(randomBatch([1, 4, 4], 2, images, 1), 2);
  expect(live('dataset')).toEqual({ handles: 1, bytes: images * (16 * FLOAT + 8) });
  const options = training(3, [0.1, 0.1], { momentum: 0.9 });
  const trained = core().train(made.handle, data, options, null, null);
  expect(live('network').handles, 'asked while it works').toBe(before.handles + 1);
  await trained;
  // The optimizer's momentum came with the first step.
  expect(live('network').bytes - before.bytes).toBe(bytes + FLOAT * TRAINED);
  data.dispose();
  made[Symbol.dispose]();
  expect(live('network')).toEqual(before);
  expect(live('dataset').handles).toBe(0);
});

test('the report says what the process holds, and nothing of a GPU that is not there', () => {
  const held = createNetwork(graph, { seed: 0, device: 'cpu' });
  const { cpu, cuda } = memory();
  expect(cpu.allocated).toBeGreaterThanOrEqual(FLOAT * (2 * TRAINED + STATISTICS));
  expect(cpu.peak).toBeGreaterThanOrEqual(cpu.allocated);
  expect(cpu.reserved).toBeGreaterThanOrEqual(cpu.allocated);
  expect([cpu.free, cpu.total]).toEqual([null, null]);
  expect(cuda === null).toBe(!core().features().cuda);
  held[Symbol.dispose]();
});

test('a network is disposed of at the end of its block, twice is harmless, and later use is refused', async () => {
  const folder = join(temporaryFolder(), 'network');
  const before = live('network').handles;
  {
    using made = createNetwork(graph, { seed: 0, device: 'cpu' });
    await saveNetwork(made, folder);
    using read = await loadNetwork(folder, { device: 'cpu' });
    expect(read.graph).toEqual(graph);
    expect(live('network').handles).toBe(before + 2);
    made[Symbol.dispose]();
    made[Symbol.dispose]();
    expect(made.handle.isDisposed).toBe(true);
    await expect(saveNetwork(made, folder)).rejects.toMatchObject({ code: 'E_HANDLE' });
    expect(codeOf(() => core().readNetwork(made.handle, 'weights'))).toBe('E_HANDLE');
  }
  expect(live('network').handles).toBe(before);
});

test('a scope lets go of all it holds in reverse order, whatever one throws', () => {
  const order: number[] = [];
  const one = (n: number): Disposable => ({ [Symbol.dispose]: () => void order.push(n) });
  const failing: Disposable = {
    [Symbol.dispose]: () => {
      throw new Error('stuck');
    },
  };
  const before = live('network').handles;
  const all = scope();
  all.use(one(1));
  all.use(failing);
  all.use(one(2));
  const networks = [0, 1, 2].map((seed) => all.use(createNetwork(graph, { seed, device: 'cpu' })));
  expect(live('network').handles).toBe(before + 3);
  expect(() => all[Symbol.dispose]()).toThrow('stuck');
  expect(order).toEqual([2, 1]);
  expect(networks.map(({ handle }) => handle.isDisposed)).toEqual([true, true, true]);
  all[Symbol.dispose]();
  expect(order).toEqual([2, 1]);
  all.use(one(3));
  expect(order, 'what comes too late is disposed of at once').toEqual([2, 1, 3]);
});
