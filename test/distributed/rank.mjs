// One rank of test/distributed/collectives.test.ts: trains, evaluates and splits by the built library, in double precision, and prints what came out.
import { createHash } from 'node:crypto';
import { agreedAny, refuseDisagreement, sentByFirst } from '../../dist/distributed/agree.js';
import { parseGraph } from '../../dist/graph/check.js';
import { lower } from '../../dist/graph/lower.js';
import { readRanks } from '../../dist/machine/launchers.js';
import { loadCore } from '../../dist/native/load.js';

const core = loadCore();
core.setThreads(1);
const { rank, world, ...meeting } = readRanks() ?? { rank: 0, world: 1 };
const [CLASSES, COUNT, SHAPE] = [3, 22, [2, 6, 6]];

/** A linear congruential generator, uniform in [-1, 1). */
function uniform(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function graphOf(hasNorm) {
  const nodes = [];
  let last = 'input';
  const add = (id, op, fields = {}) => {
    nodes.push({ id, op, inputs: [last], ...fields });
    last = id;
  };
  for (const [at, out] of [5, 7, 6].entries()) {
    add(`conv${at}`, 'conv2d', { out, kernel: 3, padding: 1, bias: !hasNorm });
    if (hasNorm) add(`norm${at}`, 'batch_norm');
    add(`act${at}`, 'activation', { kind: 'silu' });
  }
  add('pool', 'global_avg_pool');
  add('out', 'linear', { out: CLASSES });
  return parseGraph({
    ...{ format: 'splitgrow-network/1', name: 'ranks', input: { shape: SHAPE } },
    ...{ nodes, output: 'out' },
  });
}

function dataOf() {
  const next = uniform(7);
  const images = Float32Array.from({ length: COUNT * 72 }, next);
  const labels = BigInt64Array.from({ length: COUNT }, (_, i) => BigInt((i * 7) % CLASSES));
  return core.createDataset(
    { dtype: 'float32', shape: [COUNT, ...SHAPE], data: new Uint8Array(images.buffer) },
    { dtype: 'int64', shape: [COUNT], data: new Uint8Array(labels.buffer) },
    ...[[], [], CLASSES, 'cpu'],
  );
}

const data = dataOf();
const networkOf = (hasNorm) => core.createNetwork(lower(graphOf(hasNorm)), [], 3, 'cpu', 'float64');
const numbersOf = ({ dtype, data: bytes }) => {
  const copy = bytes.slice().buffer;
  return [...(dtype === 'float64' ? new Float64Array(copy) : new Float32Array(copy))];
};
const weightsOf = (network) => core.readNetwork(network, 'weights').flatMap(([, t]) => numbersOf(t));
const digestOf = (values) => createHash('sha256').update(Float64Array.from(values)).digest('hex');

function join(port, bucketBytes) {
  if (world === 1) return undefined;
  const { localRank, host, attempt } = meeting;
  return core.joinGroup({
    ...{ rank, world, localRank, host, port, isServer: rank === 0, prefix: attempt },
    ...{ settings: `${bucketBytes}`, timeoutMs: 200_000, bucketBytes },
  });
}

/** Three epochs of four minibatches; the last has 1 image, less than there are ranks. */
async function trained(hasNorm, more = {}, abort = null, onProgress = null) {
  const network = networkOf(hasNorm);
  const penalty = new Float32Array(7 * 5 * 9).fill(1e-3);
  for (const seed of [1, 2, 3]) {
    const options = {
      ...{ batch: 7, learningRates: new Float64Array(4).fill(0.1), momentum: 0.9, nesterov: true },
      ...{ weightDecay: 1e-3, decay: 'weights', labelSmoothing: 0.1, shuffle: true, flip: true, crop: 1 },
      penalties: [
        ['conv1.weight', { dtype: 'float32', shape: [7, 5, 3, 3], data: new Uint8Array(penalty.buffer) }],
      ],
      ...{ seed, syncBatchNorm: true, ...more },
    };
    const result = await core.train(network, data, options, onProgress, abort);
    if (seed === 3) return { network, loss: result.loss, top1: result.top1 };
  }
  throw new Error('no epoch');
}

async function caught(work) {
  try {
    await work();
    return 'nothing was thrown';
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}

async function indicesOf(network, method) {
  const { chains, directions } = await core.indices(
    network,
    data,
    {
      methods: lower(graphOf(true)).chains.map(() => method),
      ...{ batch: 7, epochs: 3, learningRate: 1e-2, alpha: 0.9, momentum: 0.9, rmsEpsilon: 1e-8 },
      ...{
        decayFactor: 1,
        decayEvery: 1,
        decayFirst: 1,
        mostEpochs: 3,
        passes: 12,
        tolerance: 0,
        trainedNorms: [],
        reluBeta: 3,
        identityCurvature: 0,
        shuffle: true,
        seed: 5,
      },
      ...{ memoryLimit: 2 ** 14, auxiliary: false },
    },
    ...[null, null],
  );
  return {
    indices: chains.flatMap(({ indices }) => [...indices]),
    directions: core.readDirections(directions).flatMap(([, t]) => numbersOf(t)),
  };
}

/** Rank 1 alone aborts, in its second minibatch. */
async function aborted() {
  const network = networkOf(true);
  const abort = core.createAbort();
  const options = {
    ...{ batch: 2, learningRates: new Float64Array(11).fill(0.1), momentum: 0.9, nesterov: false },
    ...{ weightDecay: 0, decay: 'all', labelSmoothing: 0, shuffle: false, flip: false, crop: 0, seed: 1 },
  };
  const stop = () => rank === Math.min(1, world - 1) && core.abort(abort);
  const text = await caught(() => core.train(network, data, options, stop, abort));
  return { text, digest: digestOf(core.readNetwork(network, 'momentum').flatMap(([, t]) => numbersOf(t))) };
}

await join(meeting.port, 512);
const report = {};
{
  const plain = await trained(false, { microBatch: 2 });
  const normed = await trained(true);
  report.plain = weightsOf(plain.network);
  report.normed = weightsOf(normed.network);
  report.totals = [plain.loss, plain.top1, normed.loss, normed.top1];
  report.evaluation = await core.evaluate(normed.network, data, { batch: 8 }, null, null);
  report.exact = await indicesOf(normed.network, 'exact');
  report.rayleigh = await indicesOf(normed.network, 'rayleigh');
  report.lobpcg = await indicesOf(normed.network, 'lobpcg');
  report.rows = [...core.rowsOfRank({ images: COUNT, batch: 7, microBatch: 2, rank, world })];
}
report.sum = [...(await core.sumOverRanks(Float64Array.of(rank + 1, 0.5)))];
report.sent = [...(await sentByFirst(rank === 0 ? Uint8Array.of(1, 2, 250) : null))];
report.nothing = (await sentByFirst(new Uint8Array(0))).length;
report.any = [await agreedAny(rank === world - 1), await agreedAny(false)];
report.same = await caught(() => refuseDisagreement('the plan', { a: [1, 2] }));
report.different = await caught(() => refuseDisagreement('the plan', { a: [1, rank === 1 ? 3 : 2] }));
report.aborted = await aborted();
await core.leaveGroup('');
// The same in one piece after the backward pass.
await join(Number(process.env.SECOND_PORT), 0);
report.inOnePiece = digestOf(weightsOf((await trained(false, { microBatch: 2 })).network));
report.inBuckets = digestOf(report.plain);
await core.leaveGroup('');
process.stdout.write(JSON.stringify(report));
