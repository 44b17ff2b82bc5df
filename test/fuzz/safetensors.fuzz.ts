// Fuzz target: a safetensors file. What is read must come back from what is written.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors.js';
import { entry, fileOf, MALFORMED, TENSORS } from '../data/malformed.js';
import { folderOf, onlyRefusals } from './outcome.js';

const FOLDER = folderOf('safetensors');
const INPUT = join(FOLDER, 'input.safetensors');
const AGAIN = join(FOLDER, 'again.safetensors');

export async function fuzz(bytes: Buffer): Promise<void> {
  writeFileSync(INPUT, bytes);
  await onlyRefusals(async () => {
    const tensors = await readSafetensors(INPUT);
    await writeSafetensors(AGAIN, tensors);
    assert.deepEqual(new Map([...(await readSafetensors(AGAIN))].sort()), new Map([...tensors].sort()));
  });
}

export async function seeds(): Promise<readonly Uint8Array[]> {
  await writeSafetensors(AGAIN, TENSORS, { framework: 'splitgrow' });
  const good = [readFileSync(AGAIN), fileOf(`{"a":${entry()}}     `, 8), fileOf('{}')];
  return [...good, ...MALFORMED.map(([, bytes]) => bytes)].filter(({ length }) => length <= 4_096);
}

export function words(): readonly string[] {
  return [
    ...['"dtype"', '"shape"', '"data_offsets"', '"__metadata__"', '"__proto__"'],
    ...['F32', 'F64', 'I64', 'I32', 'U8', 'BOOL', 'F16', '[]', '[0,8]', '9007199254740993', '-0', '1e3'],
    ...['\u0002\0\0\0\0\0\0\0', '\\u0061', '{}', '[0,0]', '[0]'],
  ];
}
