// New neurons in a run: counts, budgets and records, the same bits after a stop, refusals.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grow } from '../../../lib/api/grow.js';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import type { StageRecord } from '../../../lib/run/store/records.js';
import { FUNCTION_TOLERANCE } from '../../../lib/split/step/offspring.js';
import { messageOf } from '../../reference.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

const SET = ['splitting.insertion={"kind":"pairs","share":0.6}', 'splitting.epsilon=0.1'];

async function prepared() {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  return { folder, output: join(folder, 'run'), experiment: tinyExperiment(folder) };
}
const recordOf = (output: string, stage: number) =>
  readJson<StageRecord>(output, `stage-${stage}`, 'stage.json');
const weightsIn = (output: string, stage: number) =>
  readFile(join(output, `stage-${stage}`, 'weights.safetensors'), 'hex');

const KINDS = ['pairs', 'gradmax'] as const;

test.each(KINDS)(
  'a stage splits the best picks and puts %s in for the others, at the same cost',
  async (name) => {
    const { output, experiment } = await prepared();
    await grow({ experiment, set: [...SET, `splitting.insertion.kind=${name}`] });
    let pairs = 0;
    for (const stage of [0, 1]) {
      const [record, next] = [await recordOf(output, stage), await recordOf(output, stage + 1)];
      const { split } = record;
      const { count = 0, split: halved = 0, neurons = {}, kind, functionError } = split?.inserted ?? {};
      expect(kind).toBe(name);
      expect(functionError).toBeLessThan(FUNCTION_TOLERANCE);
      expect(halved + count).toBe(split?.picks.length);
      for (const [layer, width] of Object.entries(record.widths)) {
        const added = (split?.neurons[layer]?.length ?? 0) + (neurons[layer] ?? 0);
        expect((next.widths[layer] ?? 0) - width, layer).toBe(added);
      }
      // What the choice said that it costs.
      expect(next.macs).toBe(split?.certificate.budgets[0]?.after);
      pairs += count;
    }
    expect(pairs).toBeGreaterThan(0);
    const report = await readFile(join(output, 'report.html'), 'utf8');
    expect(report).toContain('new neurons');
    expect(report).toMatch(new RegExp(`>\\d+, ${name}<`));
  },
);

test('a share of 1 leaves a stage with new neurons alone, but for what is left of pairs', async () => {
  const { output, experiment } = await prepared();
  await grow({ experiment, set: [...SET, 'splitting.insertion.share=1', 'stop.stages=1'] });
  const { split } = await recordOf(output, 0);
  const { instead = [], split: halved } = split?.inserted ?? {};
  expect(halved).toBe(instead.reduce((sum, { neurons }) => sum + neurons, 0));
});

test.each([
  ['pairs', []],
  ['gradmax', []],
  ['gradmax', ['fit.rateByAge=true']],
] as const)(
  'a run with %s %j stopped in a fit after growth, and in its indices, ends with the same bits',
  async (name, more) => {
    const set = [...SET, `splitting.insertion.kind=${name}`, ...more];
    const whole = await prepared();
    await grow({ experiment: whole.experiment, set });
    const { output, experiment } = await prepared();
    for (const phase of ['fit', 'indices'] as const) {
      const stop = new AbortController();
      const onEvent = (event: { readonly phase?: string; readonly stage?: number }): void => {
        if (event.phase === phase && event.stage === 1) stop.abort();
      };
      await expect(grow({ experiment, set }, { signal: stop.signal, onEvent })).rejects.toMatchObject({
        code: 'E_ABORTED',
      });
    }
    await grow({ experiment, set });
    for (const stage of [0, 1, 2])
      expect(await weightsIn(output, stage)).toBe(await weightsIn(whole.output, stage));
  },
);

test.each([
  [
    { kind: 'pair' },
    'splitting.insertion.kind: expected one of none, pairs, gradmax, got "pair"; did you mean "pairs"?',
  ],
  [{ share: 1.5 }, 'splitting.insertion.share: expected number <= 1, got 1.5'],
  [{ kinds: 'pairs' }, 'splitting.insertion.kinds: unknown field; did you mean "kind"'],
])('insertion %j is refused', (insertion, message) => {
  const least = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10' } };
  expect(messageOf(() => parseExperiment({ ...least, splitting: { insertion } }))).toContain(message);
});
