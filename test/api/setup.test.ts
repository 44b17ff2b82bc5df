// setup and doctor as functions: what is there is found, and nothing is fetched.
import { expect, test } from 'vitest';
import { doctor, type SetupProgress, setup } from '../../lib/index.js';
import { locate } from '../../lib/machine/libtorch/locate.js';

test('setup takes the LibTorch that is found, without fetching', async () => {
  const seen: SetupProgress[] = [];
  const { libtorch, isNew } = await setup({}, { onProgress: (progress) => seen.push(progress) });
  expect(isNew).toBe(false);
  expect(libtorch).toEqual(locate().found);
  expect(seen.filter(({ phase }) => phase === 'download')).toEqual([]);
});

test('doctor finds this machine ready, the LibTorch that setup names and the features of the core', async () => {
  const { isReady, libtorch, features, findings } = await doctor();
  expect(findings.filter(({ state }) => state === 'missing')).toEqual([]);
  expect(isReady).toBe(true);
  expect(libtorch).toEqual(locate().found);
  expect(features?.libtorch).toBe(libtorch?.version.split('+')[0]);
});
