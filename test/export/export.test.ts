import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportNetwork } from '../../lib/api.js';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { writeNetwork } from '../api/batch-files.js';
import { temporaryFolder } from '../experiment/tiny.js';

test('export without a format, and two formats into one file, are usage errors', async () => {
  const network = await writeNetwork(temporaryFolder());
  await expect(exportNetwork({ network })).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('--safetensors FILE'),
  });
});

test('a directory without weights is refused, and nothing is written', async () => {
  const folder = temporaryFolder();
  await expect(
    exportNetwork({ network: join(folder, 'none'), safetensors: join(folder, 'x.safetensors') }),
  ).rejects.toMatchObject({ code: 'E_FILE' });
});

test('the safetensors file holds the very tensors of the network', async () => {
  const folder = temporaryFolder();
  const network = await writeNetwork(folder);
  const file = join(folder, 'x.safetensors');
  // 7 convolutions with the 4 tensors of their batch norm, and the classifier's two.
  const { formats } = await exportNetwork({ network, safetensors: file });
  expect(formats.safetensors).toMatchObject({ file, tensors: 7 * 5 + 2 });
  expect(await readSafetensors(file)).toEqual(await readSafetensors(join(network, 'weights.safetensors')));
});
