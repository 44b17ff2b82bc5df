// Every seed, every input that fuzzing kept and every one that it once found is read or refused with a code.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { linesOf, textOf } from '../../scripts/fuzz/corpus.mjs';
import { ROOT } from '../data/places.js';
import type { Target } from './outcome.js';

// Targets write their inputs there, once they are loaded.
const FOLDER = mkdtempSync(join(tmpdir(), 'splitgrow-'));
process.env.SPLITGROW_FUZZ_FOLDER = FOLDER;
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  safetensors: () => import('./safetensors.fuzz.js'),
  network: () => import('./network.fuzz.js'),
  plan: () => import('./plan.fuzz.js'),
  experiment: () => import('./experiment.fuzz.js'),
};

function kept(target: string, kind: 'corpus' | 'found'): readonly Buffer[] {
  const file = join(ROOT, 'test', 'fuzz', 'corpus', `${target}.${kind}.txt`);
  return existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : [];
}

test.each(Object.keys(TARGETS))('%s: seeds, corpus and former findings are read or refused', async (name) => {
  const target = await (TARGETS[name] as () => Promise<Target>)();
  const inputs = [...(await target.seeds()), ...kept(name, 'corpus'), ...kept(name, 'found')];
  expect(inputs.length).toBeGreaterThan(5);
  for (const bytes of inputs) {
    const told = Buffer.from(bytes).toString('base64');
    await expect(target.fuzz(Buffer.from(bytes)), told).resolves.toBeUndefined();
  }
});

test('inputs come back from their text, the empty one too', () => {
  const inputs = [Buffer.alloc(0), Buffer.from([0, 255]), Buffer.from('{"a":1}')];
  expect(linesOf(textOf([...inputs, Buffer.from([0, 255])]))).toEqual(inputs);
});
