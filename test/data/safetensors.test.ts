// safetensors: what is written is read back, and a hostile file is refused.
import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors.js';
import type { TensorData, TensorMap } from '../../lib/native/face.js';
import { entry, fileOf, MALFORMED, TENSORS } from './malformed.js';
import { failureOf, inFolder } from './places.js';

test('every tensor comes back with its type, shape and bytes', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'x.safetensors');
    await writeSafetensors(file, TENSORS, { framework: 'splitgrow' });
    const back = await readSafetensors(file);
    expect(new Map([...back].sort())).toEqual(new Map([...TENSORS].sort()));
  }));

test('equal maps give equal files, whatever their order, with every tensor aligned', () =>
  inFolder(async (folder) => {
    await writeSafetensors(join(folder, 'a'), TENSORS);
    await writeSafetensors(join(folder, 'b'), new Map([...TENSORS].reverse()));
    const [a, b] = [await readFile(join(folder, 'a')), await readFile(join(folder, 'b'))];
    expect(a.equals(b)).toBe(true);
    expect(a.readBigUInt64LE(0) % 8n).toBe(0n);
  }));

test('data that does not fit its shape is not written', () =>
  inFolder(async (folder) => {
    const wrong: TensorMap = new Map([['x', { dtype: 'float32', shape: [2], data: new Uint8Array(4) }]]);
    const file = join(folder, 'x');
    expect(await failureOf(writeSafetensors(file, wrong))).toMatch(
      /^E_ARGUMENT: tensor "x": .* takes 8 bytes, got 4/,
    );
    expect(await failureOf(stat(file))).toMatch(/^ENOENT/);
  }));

test.each(MALFORMED)('%s is refused', (_, bytes, reason) =>
  inFolder(async (folder) => {
    const file = join(folder, 'x.safetensors');
    await writeFile(file, bytes);
    const failure = await failureOf(readSafetensors(file));
    expect(failure).toMatch(/^E_SAFETENSORS: /);
    expect(failure).toMatch(reason);
    expect(failure).not.toContain('\n');
  }),
);

test('random damage to a good file never gives anything but E_SAFETENSORS or tensors', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'x.safetensors');
    await writeSafetensors(file, TENSORS);
    const good = await readFile(file);
    let seed = 12345;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    for (let round = 0; round < 300; round += 1) {
      const bad = Buffer.from(good.subarray(0, good.length - (round % 3 === 0 ? random(good.length) : 0)));
      for (let k = 0; k < 1 + random(4) && bad.length > 0; k += 1) bad[random(bad.length)] = random(256);
      await writeFile(file, bad);
      const failure = await failureOf(readSafetensors(file));
      expect(failure, `round ${round}`).toMatch(/^(no error|E_SAFETENSORS: )/);
    }
  }));

test('blanks after the header are padding', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'x'), fileOf(`{"a":${entry()}}     `, 8));
    expect((await readSafetensors(join(folder, 'x'))).get('a')?.shape).toEqual([2]);
  }));

test('a missing file and a folder are E_FILE', () =>
  inFolder(async (folder) => {
    expect(await failureOf(readSafetensors(join(folder, 'none')))).toMatch(/^E_FILE: cannot read/);
    expect(await failureOf(readSafetensors(folder))).toMatch(/^E_FILE: .*expected a file/);
  }));

/** A file's bytes with its header's JSON changed. */
function withHeader(
  bytes: Buffer,
  change: (header: Record<string, Record<string, unknown>>) => void,
): Buffer {
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, end).toString()) as Record<string, Record<string, unknown>>;
  change(header);
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([prefix, json, bytes.subarray(end)]);
}

test('a file states its SHA-256, which hashing its parts by hand gives', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'x');
    const two = new Map<string, TensorData>([
      ['b', { dtype: 'uint8', shape: [3], data: Uint8Array.of(7, 8, 9) }],
      ['a', { dtype: 'int32', shape: [1, 1], data: Uint8Array.of(1, 0, 0, 0) }],
    ]);
    await writeSafetensors(file, two, { framework: 'splitgrow' });
    const hand = createHash('sha256')
      .update('["a","I32",[1,1]]\n\x01\0\0\0["b","U8",[3]]\n\x07\x08\x09')
      .digest('hex');
    withHeader(await readFile(file), ({ __metadata__: metadata }) => {
      expect(metadata).toEqual({ framework: 'splitgrow', 'splitgrow.sha256': hand });
    });
  }));

test('one flipped bit of any byte of the data is refused, and so is another name, type or shape', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'x');
    await writeSafetensors(file, TENSORS);
    const good = await readFile(file);
    const start = 8 + Number(good.readBigUInt64LE(0));
    for (let at = start; at < good.length; at += 1) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(file, bad);
      expect(await failureOf(readSafetensors(file)), `byte ${at}`).toMatch(
        /^E_SAFETENSORS: .*(SHA-256|BOOL)/,
      );
    }
    const [first = ''] = TENSORS.keys();
    const renamed = withHeader(good, (header) => {
      header.other = header[first] ?? {};
      delete header[first];
    });
    await writeFile(file, renamed);
    expect(await failureOf(readSafetensors(file))).toMatch(
      new RegExp(
        `^E_SAFETENSORS: ${file}: expected tensors of SHA-256 [0-9a-f]{64}, .*put a copy of it back, or, .*take "splitgrow.sha256" out`,
      ),
    );
  }));

test('a file without a digest, other metadata and other blanks are taken; a digest that is none is refused', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'x');
    await writeSafetensors(file, TENSORS, { a: 'b' });
    const good = await readFile(file);
    const read = async (change: Parameters<typeof withHeader>[1]): Promise<string> => {
      await writeFile(file, withHeader(good, change));
      return failureOf(readSafetensors(file));
    };
    expect(await read((header) => delete header.__metadata__)).toBe('no error');
    expect(await read(({ __metadata__: metadata }) => Object.assign(metadata ?? {}, { a: 'c' }))).toBe(
      'no error',
    );
    expect(
      await read(({ __metadata__: metadata }) => Object.assign(metadata ?? {}, { 'splitgrow.sha256': '' })),
    ).toMatch(/^E_SAFETENSORS: /);
  }));
