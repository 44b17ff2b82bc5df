import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { isSplitgrowError } from '../../lib/errors.js';
import type { RunControl } from '../../lib/native/events.js';
import { loadCore } from '../../lib/native/load.js';
import { bnImportance } from '../../lib/rivals/networks/importance.js';
import { slimmingPenalty } from '../../lib/rivals/networks/morphnet.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { openSession, readData } from '../../lib/run/stage/session.js';
import { startNetwork } from '../../lib/run/stage/start.js';
import { trainNetwork } from '../../lib/run/stage/train.js';
import { type Penalties, penaltyTensors } from '../../lib/train/penalties.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

/** Trains in a folder of its own. @returns the experiment's output */
async function trained(folder: string, penalties?: Penalties, control: RunControl = {}): Promise<string> {
  const { stop: _stop, ...experiment } = tinyExperiment(folder);
  const spec = parseExperiment({ ...experiment, fit: { epochs: 3, batch: 16 } });
  const data = await readData(spec);
  using start = await startNetwork(spec, data);
  const session = { ...openSession(spec, data, start.graph, control), penalties };
  await trainNetwork(spec, async () => ({ session, start }), control);
  return spec.output;
}
const prepared = async (): Promise<string> => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  return folder;
};
const weights = (output: string) => readSafetensors(join(output, 'weights.safetensors'));

test('penalties are asked for before every epoch, of the network as it stands, and shrink what they push', async () => {
  const asked: [number, number][] = [];
  const penalties: Penalties = ({ graph, handle }, epoch) => {
    const now = bnImportance(graph, new Map(loadCore().readNetwork(handle, 'weights')));
    asked.push([
      epoch,
      [...now.values()].reduce((sum, values) => sum + values.reduce((a, b) => a + b, 0), 0),
    ]);
    return penaltyTensors(slimmingPenalty(graph, { strength: 0.05 }));
  };
  await trained(await prepared(), penalties);
  expect(asked.map(([epoch]) => epoch)).toEqual([0, 1, 2]);
  const [first = 0, second = 0, third = 0] = asked.map(([, sum]) => sum);
  // Every scale starts from 1; 4 channels in each of 4 groups.
  expect(first).toBe(16);
  expect(second).toBeLessThan(0.95 * first);
  expect(third).toBeLessThan(0.95 * second);
});

test('training with penalties that was aborted continues to the same bits, and differs from training without', async () => {
  // Another coefficient in each epoch: a resumed run that began with epoch 0's would end elsewhere.
  const penalties: Penalties = ({ graph }, epoch) =>
    penaltyTensors(slimmingPenalty(graph, { strength: 0.01 * (epoch + 1) }));
  const whole = await trained(await prepared(), penalties);
  const folder = await prepared();
  const controller = new AbortController();
  const onEvent: RunControl['onEvent'] = (event) => {
    if (event.type === 'note' && event.text.startsWith('epoch 1')) controller.abort();
  };
  const failure = await trained(folder, penalties, { signal: controller.signal, onEvent }).catch(
    (error: unknown) => error,
  );
  expect(isSplitgrowError(failure) && failure.code).toBe('E_ABORTED');
  const bytes = (output: string): Promise<Buffer> => readFile(join(output, 'weights.safetensors'));
  expect((await bytes(await trained(folder, penalties))).equals(await bytes(whole))).toBe(true);
  expect(await weights(await trained(await prepared()))).not.toEqual(await weights(whole));
});
