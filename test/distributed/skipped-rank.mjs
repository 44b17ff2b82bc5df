// One rank of test/distributed/skipped.test.ts: trains, evaluates and splits on files of which some cannot be read, and prints what came out.
import { readdirSync } from 'node:fs';
import { parseGraph } from '../../dist/graph/check.js';
import { lower } from '../../dist/graph/lower.js';
import { readRanks } from '../../dist/machine/launchers.js';
import { loadCore, loadImageCore } from '../../dist/native/load.js';

const core = loadImageCore();
loadCore().setThreads(1);
const { rank, world, ...meeting } = readRanks() ?? { rank: 0, world: 1 };
const root = process.env.SKIPPED_FOLDER;
const paths = readdirSync(root).sort();
const [CLASSES, SIDE, BATCH] = [3, 16, 6];

const graph = parseGraph({
  ...{ format: 'splitgrow-network/1', name: 'ranks', input: { shape: [3, SIDE, SIDE] } },
  nodes: [
    { id: 'conv', op: 'conv2d', inputs: ['input'], out: 4, kernel: 3, bias: true },
    { id: 'act', op: 'activation', inputs: ['conv'], kind: 'silu' },
    { id: 'pool', op: 'global_avg_pool', inputs: ['act'] },
    { id: 'out', op: 'linear', inputs: ['pool'], out: CLASSES },
  ],
  output: 'out',
});
const networkOf = () => core.createNetwork(lower(graph), [], 3, 'cpu', 'float64');
const data = core.createImageDataset(
  { files: { root, paths, labels: Int32Array.from(paths, (_, i) => i % CLASSES) } },
  {
    ...{ maxPixels: 1e6, maxScans: 100, resolution: SIDE, shortSide: 18, classes: CLASSES, device: 'cpu' },
    ...{
      mean: [0, 0, 0],
      std: [1, 1, 1],
      workers: 1,
      prefetch: 2,
      scaledDecoding: false,
      skipUnreadable: true,
    },
  },
);

if (world > 1)
  await core.joinGroup({
    ...{ rank, world, localRank: meeting.localRank, host: meeting.host, port: meeting.port },
    ...{ isServer: rank === 0, prefix: meeting.attempt, settings: '', timeoutMs: 20_000, bucketBytes: 64 },
  });

const numbersOf = ({ data: bytes }) => [...new Float64Array(bytes.slice().buffer)];
const trained = networkOf();
const steps = Math.ceil(paths.length / BATCH);
const options = {
  ...{
    batch: BATCH,
    microBatch: 2,
    learningRates: new Float64Array(steps).fill(0.1),
    momentum: 0.9,
    nesterov: false,
  },
  ...{ weightDecay: 0, decay: 'all', labelSmoothing: 0, shuffle: false, flip: false, crop: 0, seed: 0 },
};
const { loss, top1, images, skipped } = await core.train(trained, data, options, null, null);
const evaluation = await core.evaluate(trained, data, { batch: BATCH }, null, null);
const indices = {};
for (const method of ['exact', 'rayleigh']) {
  const found = await core.indices(
    networkOf(),
    data,
    {
      ...{
        methods: [method],
        batch: BATCH,
        epochs: 2,
        learningRate: 1e-3,
        alpha: 0.99,
        momentum: 0,
        rmsEpsilon: 1e-8,
      },
      ...{
        decayFactor: 1,
        decayEvery: 1,
        decayFirst: 1,
        mostEpochs: 2,
        passes: 12,
        tolerance: 0,
        trainedNorms: [],
        reluBeta: 3,
        identityCurvature: 0,
        shuffle: false,
        seed: 0,
      },
      ...{ memoryLimit: 2 ** 28, auxiliary: false },
    },
    ...[null, null],
  );
  indices[method] = found.chains.flatMap((chain) => [...chain.indices]);
}
const weights = core.readNetwork(trained, 'weights').flatMap(([, t]) => numbersOf(t));
if (world > 1) await core.leaveGroup('');
process.stdout.write(
  JSON.stringify({
    ...{ weights, indices, totals: [loss, top1, images, skipped] },
    evaluation: [evaluation.loss, evaluation.top1, evaluation.images, evaluation.skipped],
  }),
);
