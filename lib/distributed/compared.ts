// What ranks compare before they exchange anything that depends on it: the experiment, the data, the network that they start from.
import { createHash } from 'node:crypto';
import type { Dataset } from '../data/dataset.js';
import { partDigest } from '../data/part-digest.js';
import { digestOf } from '../machine/files/digest.js';
import { readRanks } from '../machine/launchers.js';
import type { Device } from '../native/face.js';
import { loadCore } from '../native/load.js';
import type { Network } from '../train/network.js';
import { refuseDisagreement } from './agree.js';

type Json = Readonly<Record<string, unknown>>;

/** @throws E_RANKS on every rank where one was given another command, or fields of the experiment that differ */
export async function refuseOtherExperiment(command: string, fields: object): Promise<void> {
  await refuseDisagreement('the experiment', { command, ...fields });
}

/** @throws E_RANKS on every rank where one has other images, labels or classes */
export async function refuseOtherData({
  train,
  test,
  classes,
  classNames,
  mean,
  std,
}: Dataset): Promise<void> {
  if (readRanks() === null) return;
  await refuseDisagreement('the data', {
    train: await partDigest(train),
    test: await partDigest(test),
    ...{ classes, classNames, mean, std },
  });
}

function networkValue({ graph, handle }: Network): Json {
  const hash = createHash('sha256');
  for (const [name, { data }] of loadCore().readNetwork(handle, 'weights')) hash.update(name).update(data);
  return { graph, weights: short(hash.digest('hex')) };
}

const short = (sha256: string): string => `sha256 ${sha256.slice(0, 16)}`;

/** @throws E_RANKS on every rank where one starts from another graph or other weights */
export async function refuseOtherNetwork(network: Network): Promise<void> {
  if (readRanks() === null) return;
  await refuseDisagreement('the network to start from', networkValue(network));
}

/** @throws E_RANKS on every rank where one would find other indices: by other options, of another network or batch file */
export async function refuseOtherIndices(
  request: object,
  given: { readonly network: Network; readonly batch: string; readonly device: Device },
): Promise<void> {
  if (readRanks() === null) return;
  const { network, batch, device } = given;
  const { bytes, sha256 } = await digestOf(batch);
  await refuseDisagreement('the indices', {
    ...{ command: 'indices', request, device },
    batch: { bytes, content: short(sha256) },
    network: networkValue(network),
  });
}
