// Members of wheels that stay on their server: read by ranges, or out of the whole wheel where the server sends none.
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Wheel } from '../../../lib/machine/libtorch/pinned.js';
import { fetchMembers } from '../../../lib/machine/libtorch/unpack-wheels.js';
import { serve } from '../../data/get/server.js';
import { failureOf, inFolder } from '../../data/places.js';
import { cleanEnv, madeUpRelease } from './made-up-wheels.js';

interface Taken {
  readonly said: string;
  readonly names: readonly string[];
  /** Bytes that the server sent of the wheel. */
  readonly sent: number;
  readonly wheel: Wheel;
}

/** Takes version.py and a header out of a wheel; `state` is the SHA-256 that the index states. */
async function take(hasRanges: boolean, state?: (sha256: string) => string): Promise<Taken> {
  let taken: Taken | null = null;
  await inFolder(async (root) => {
    const { folder, release } = await madeUpRelease(root);
    const [torch] = release.wheels;
    if (torch === undefined) throw new Error('expected a wheel');
    const bytes = await readFile(join(folder, torch.file));
    let sent = 0;
    const server = await serve((request, response) => {
      if (!request.url?.includes('.whl')) {
        const hash = state === undefined ? '' : `#sha256=${state(torch.sha256)}`;
        response.writeHead(200).end(`<a href="/files/${torch.file}${hash}">${torch.file}</a>`);
        return;
      }
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      const isPart = hasRanges && from !== undefined;
      const part = isPart ? bytes.subarray(Number(from), Number(to) + 1) : bytes;
      const range = { 'content-range': `bytes ${from}-${to}/${bytes.length}` };
      sent += part.length;
      response
        .writeHead(isPart ? 206 : 200, { 'content-length': part.length, ...(isPart && range) })
        .end(part);
    });
    const [work, tree] = [join(root, 'work'), join(root, 'tree')];
    for (const path of [work, tree]) await mkdir(path);
    const wheel = { ...torch, keep: ['torch/include/.*', String.raw`torch/version\.py`] };
    const env = cleanEnv(root, { PIP_INDEX_URL: `${server.url}simple` });
    const said = await failureOf(fetchMembers([wheel], { work, tree }, { env }));
    const names = (await readdir(tree, { recursive: true })).filter((name) => /\.\w+$/.test(name)).sort();
    taken = { said, names, sent, wheel };
  });
  if (taken === null) throw new Error('nothing was taken');
  return taken;
}

const NAMES = ['torch/include/torch/script.h', 'torch/version.py'];

test('by ranges, only a small part of the wheel is sent', async () => {
  const { said, names, sent, wheel } = await take(true);
  expect([said, names]).toEqual(['no error', NAMES]);
  expect(sent).toBeLessThan(wheel.bytes / 10);
});

test('from a server without ranges the whole wheel is taken, and compared', async () => {
  const { said, names, sent, wheel } = await take(false);
  expect([said, names]).toEqual(['no error', NAMES]);
  expect(sent).toBeGreaterThanOrEqual(wheel.bytes);
});

test('a wheel of which the index states another SHA-256 is not asked for', async () => {
  expect((await take(true, (sha256) => sha256)).said).toBe('no error');
  const { said, sent, wheel } = await take(true, () => '0'.repeat(64));
  expect(said).toBe(
    `E_LIBTORCH: LibTorch could not be downloaded: pip's index has no ${wheel.file} with SHA-256 ${wheel.sha256}; ` +
      "check pip's index settings (python3 -I -m pip config list) and run: npx splitgrow setup",
  );
  expect(sent).toBe(0);
});
