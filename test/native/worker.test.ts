// A Worker with an addon of its own: it trains, and may be terminated at any moment.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { lower } from '../../lib/graph/lower.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { ROOT } from '../data/places.js';
import {
  core,
  datasetOf,
  networkOf,
  numbers,
  numbersOf,
  randomBatch,
  rates,
  training,
  weightsOf,
} from './golden.js';

const run = promisify(execFile);
const MODULE = pathToFileURL(join(ROOT, 'dist', 'native', 'load.js')).href;
const GRAPH = buildPreset('mobilenet_cifar10', { blocks: 1, width: 4, resolution: 8 });
const BATCH = randomBatch(GRAPH.input.shape, 10, 64, 1);
const OPTIONS = training(16, rates(4, 0.05), { momentum: 0.9, shuffle: true, seed: 3 });

/** Trains epoch after epoch, says so at every progress, which takes `spin` ms, and gives the weights at the end. */
const SCRIPT = `
  import { parentPort, workerData } from 'node:worker_threads';
  const { module, program, batch, options, epochs, spin } = workerData;
  const core = (await import(module)).loadCore();
  core.setThreads(1);
  const network = core.createNetwork(program, [], 1, 'cpu');
  const data = core.createDataset(batch.get('images'), batch.get('labels'), [], [], 10, 'cpu');
  const tell = () => {
    parentPort.postMessage('step');
    for (const start = performance.now(); performance.now() - start < spin; );
  };
  for (let epoch = 0; epoch < epochs; epoch += 1) await core.train(network, data, options, tell, null);
  parentPort.postMessage(core.readNetwork(network, 'weights'));`;
const CODE = new URL(`data:text/javascript,${encodeURIComponent(SCRIPT)}`);
const DATA = { module: MODULE, program: lower(GRAPH), batch: BATCH, options: OPTIONS, epochs: 1e9, spin: 0 };

test('a network trained in a Worker is the one trained here, bit for bit, also while this thread trains', async () => {
  const worker = new Worker(CODE, { workerData: { ...DATA, epochs: 2 } });
  const answer = new Promise<unknown>((resolve, reject) => {
    worker.on('message', (message) => message === 'step' || resolve(message)).once('error', reject);
  });
  const [network, data] = [networkOf(GRAPH), datasetOf(BATCH, 10)];
  for (let epoch = 0; epoch < 2; epoch += 1) await core().train(network, data, OPTIONS, null, null);
  expect(await answer).toEqual([...weightsOf(network)]);
  await worker.terminate();
});

test('terminating Workers in the middle of training leaves this thread and its networks unharmed', async () => {
  const network = networkOf(GRAPH);
  const before = weightsOf(network);
  for (let round = 0; round < 6; round += 1) {
    const worker = new Worker(CODE, { workerData: DATA });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
  }
  expect(weightsOf(network)).toEqual(before);
  const { loss } = await core().train(network, datasetOf(BATCH, 10), OPTIONS, null, null);
  expect(loss).toBeGreaterThan(0);
});

// A process of its own: a crash is its exit code. `holds`: whether the main thread has loaded the addon too,
// without which the end of a Worker closes the library.
for (const holds of [true, false]) {
  const who = holds ? 'and the main thread hold' : 'alone holds';
  test(`a process whose Worker ${who} the addon outlives terminating it at any moment`, async () => {
    const script = `
      import { Worker } from 'node:worker_threads';
      import { deserialize } from 'node:v8';
      const data = deserialize(Buffer.from(process.env.WORKER_DATA, 'base64'));
      if (${holds}) (await import(data.module)).loadCore();
      for (let round = 0; round < 9; round += 1) {
        const workerData = { ...data, spin: (round % 3) * 5 };
        const worker = new Worker(new URL(process.env.WORKER_CODE), { workerData });
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
        await new Promise((resolve) => setTimeout(resolve, 2 * round));
        await worker.terminate();
      }
      console.log('alive');`;
    const WORKER_DATA = serialize(DATA).toString('base64');
    const env = { ...process.env, WORKER_DATA, WORKER_CODE: CODE.href };
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { env });
    expect(stdout).toBe('alive\n');
  });
}

test('a handle of this thread means nothing in a Worker', async () => {
  const network = networkOf(GRAPH);
  expect(
    () => new Worker('0', { eval: true, workerData: network, transferList: [network as never] }),
  ).toThrow();
  const copy = structuredClone(weightsOf(network));
  for (const [name, tensor] of weightsOf(network)) expect(numbersOf(copy, name)).toEqual(numbers(tensor));
});
