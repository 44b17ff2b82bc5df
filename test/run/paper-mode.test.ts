// Options of `splitting` that follow the authors' code, through whole runs; and other methods alongside.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grow } from '../../lib/api/grow.js';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import type { StageRecord } from '../../lib/run/store/records.js';
import { numbersOf } from '../native/golden.js';
import { messageOf } from '../reference.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

/** One splitting stage; the grown network is not trained, so that it is what growth made it. */
const ONE = ['stop.stages=1', 'fit.epochs=[2,0]', 'splitting.epsilon=0.1'];

async function run(set: readonly string[]) {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const experiment = tinyExperiment(folder);
  const summary = await grow({ experiment, set: [...ONE, ...set] });
  const output = String(experiment.output);
  const record = await readJson<StageRecord>(output, 'stage-0', 'stage.json');
  const [before, after] = await Promise.all(
    [0, 1].map((k) => readSafetensors(join(output, `stage-${k}`, 'weights.safetensors'))),
  );
  if (before === undefined || after === undefined || record.split === null) throw new Error('no split');
  return { summary, record, split: record.split, before, after };
}

test('statistics of depthwise batch norms drift into the grown network in training mode, and nowhere else', async () => {
  const modes = { eval: await run([]), train: await run(['splitting.depthwiseBatchNorm=train']) };
  for (const [mode, { before, after, record }] of Object.entries(modes)) {
    for (const norm of ['stem_bn', 'b1_dw_bn', 'b1_pw_bn', 'b3_dw_bn']) {
      for (const statistic of ['running_mean', 'running_var']) {
        const name = `${norm}.${statistic}`;
        const old = [...numbersOf(before, name)];
        const own = [...numbersOf(after, name)].slice(0, old.length);
        const drifts = mode === 'train' && norm.includes('dw');
        if (drifts) expect(own, `${mode} ${name}`).not.toEqual(old);
        else expect(own, `${mode} ${name}`).toEqual(old);
      }
    }
    // Step 0 is shown to keep the function of the network that is grown from: the drifted one.
    expect(record.split?.step.functionError).toBeLessThan(1e-5);
  }
  expect(modes.train.split.chains.map(({ indices }) => indices)).not.toEqual(
    modes.eval.split.chains.map(({ indices }) => indices),
  );
});

test('without direction halving the grown weights are others, but equal at step 0', async () => {
  const weights = async (set: readonly string[]) => (await run(set)).after;
  const off = 'splitting.directionHalving=false';
  expect(await weights([off])).not.toEqual(await weights([]));
  expect(await weights([off, 'splitting.epsilon=0'])).toEqual(await weights(['splitting.epsilon=0']));
});

test("a run in the authors' mode grows past the hard limit, and says so", async () => {
  const { split, summary } = await run([
    'splitting.costEstimate={"estimate":"own-layer","transform":"log"}',
    'splitting.budgets=two-groups',
    'splitting.hardLimit=false',
    'splitting.rounding={"kind":"threshold","threshold":0.9}',
    'splitting.layerCap=0.9',
    'splitting.growthRatio=0.5',
    'splitting.method=exact',
  ]);
  const [first, second] = summary.stages;
  const [budget] = split.certificate.budgets;
  expect(split.certificate.isHard).toBe(false);
  expect(budget?.after).toBe(second?.macs);
  expect(second?.macs).toBeGreaterThan(1.5 * (first?.macs ?? 0));
  expect(budget?.usedShare).toBeGreaterThan(1);
  for (const { used, allowed } of split.certificate.estimates ?? [])
    expect(used).toBeLessThanOrEqual(allowed * (1 + 1e-9));
  expect(Object.values(split.neurons).every((list) => list.length <= 3)).toBe(true);
});

test('methods alongside are recorded with their seconds, correlation and overlap, and leave the run as it is', async () => {
  const plain = await run(['splitting.method=exact']);
  const { split, record, after } = await run([
    'splitting.method=exact',
    'splitting.alongside=["exact","rayleigh"]',
    'splitting.epochs=3',
  ]);
  expect(after).toEqual(plain.after);
  expect([plain.split.alongside, plain.split.chosen]).toEqual([undefined, plain.split.picks.length]);
  const [exact, rayleigh] = split.alongside ?? [];
  expect(exact).toMatchObject({
    method: 'exact',
    rankCorrelation: 1,
    overlap: 1,
    chosen: split.picks.length,
  });
  expect(rayleigh?.method).toBe('rayleigh');
  // As a main method it computes the same indices, so that they can be held against the exact ones by hand.
  const other = await run(['splitting.method=rayleigh', 'splitting.epochs=3']);
  const key = ({ group, neuron }: { group: string; neuron: number }): string => `${group} ${neuron}`;
  const [a, b] = [split, other.split].map(({ picks }) => new Set(picks.map(key)));
  const both = [...(a ?? [])].filter((one) => b?.has(one)).length;
  expect(rayleigh?.chosen).toBe(b?.size);
  expect(rayleigh?.overlap).toBe(both / ((a?.size ?? 0) + (b?.size ?? 0) - both));
  expect(rayleigh?.rankCorrelation).toBeGreaterThan(-1);
  expect(rayleigh?.rankCorrelation).toBeLessThan(1);
  expect((exact?.seconds ?? 0) > 0 && (rayleigh?.seconds ?? 0) > 0).toBe(true);
  expect(Object.keys(record.seconds)).toEqual(Object.keys(plain.record.seconds));
});

test('methods alongside see the statistics that the stage began with, and none of the drift', async () => {
  const train = ['splitting.depthwiseBatchNorm=train', 'splitting.method=exact'];
  const plain = await run(train);
  const { split, after } = await run([...train, 'splitting.alongside=["exact","exact"]']);
  expect(after).toEqual(plain.after);
  expect(split.alongside?.map(({ rankCorrelation, overlap }) => [rankCorrelation, overlap])).toEqual([
    [1, 1],
    [1, 1],
  ]);
});

test('a table of caps that names no layer is refused before anything is written', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const set = ['splitting.layerCap={"b1_pv":8}'];
  await expect(grow({ experiment: tinyExperiment(folder), set })).rejects.toMatchObject({
    code: 'E_ARGUMENT',
    message: expect.stringContaining('"b1_pw"'),
  });
  expect(await readdir(folder)).toEqual(['data.safetensors']);
});

test.each([
  [
    { strategy: 'vanilla', rounding: { kind: 'threshold' } },
    /^splitting\.rounding\.kind: expected exchange unless/,
  ],
  [
    { cost: ['macs', 'params'], costEstimate: { estimate: 'own-layer' } },
    /^splitting\.costEstimate\.estimate: expected marginal/,
  ],
  [{ layerCap: 0 }, /^splitting\.layerCap: /],
  [{ layerCap: { stem: 0 } }, /^splitting\.layerCap/],
  [{ budgets: 'two-grups' }, /^splitting\.budgets: .*"two-groups"/],
  [{ alongside: ['fast'] }, /^splitting\.alongside\.0: expected one of exact, rayleigh, lobpcg, auto/],
  [{ rounding: { treshold: 1 } }, /^splitting\.rounding\.treshold: unknown field; did you mean "threshold"/],
])('the experiment with splitting %j is refused', (splitting, said) => {
  const experiment = {
    name: 'x',
    network: { preset: 'mobilenet_cifar10' },
    data: { name: 'cifar10', root: 'DIR' },
  };
  expect(messageOf(() => parseExperiment({ ...experiment, splitting }))).toMatch(said);
});
