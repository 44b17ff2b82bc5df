// What files are by their first bytes: files made by the programs themselves where Python has them, by their formats' documents elsewhere.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../../lib/data/safetensors.js';
import { otherKind, otherKindOf } from '../../../lib/machine/files/file-kind.js';
import { onnxPython } from '../../export/python.js';
import { temporaryFolder } from '../../run/tiny.js';

const latin = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
/** The head of a zip whose first entry has this name (APPNOTE 4.3.7). */
const zip = (name: string): Uint8Array =>
  latin(`PK\x03\x04${'\x00'.repeat(22)}${String.fromCharCode(name.length)}\x00\x00\x00${name}rest`);

const BY_FORMAT: readonly (readonly [string, Uint8Array, RegExp])[] = [
  [
    'a PyTorch file',
    zip('archive/data.pkl'),
    /PyTorch file \(a zip with data\.pkl\); .*torch\.load\("f\.bin"/,
  ],
  ['an npz', zip('arr_0.npy'), /npz; .*numpy\.load/],
  ['another zip', zip('a.txt'), /a zip archive; unpack it first: unzip "f\.bin"/],
  [
    'an old PyTorch file',
    latin('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.'),
    /before 1\.6/,
  ],
  ['a pickle', latin('\x80\x04\x95\x0b'), /a Python pickle; /],
  ['HDF5', latin('\x89HDF\r\n\x1a\n\x00'), /HDF5/],
  ['TensorFlow Lite', latin('\x1c\x00\x00\x00TFL3'), /TensorFlow Lite/],
  [
    'a git-lfs pointer',
    latin('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'),
    /git-lfs pointer.*git lfs pull/,
  ],
  ['a web page', latin('\n  <!DOCTYPE html><html>'), /web page \(HTML\).*download the file itself/],
  ['a page with a byte order mark', latin('\xef\xbb\xbf<html lang="en">'), /web page/],
  ['an SVG', latin('<?xml version="1.0"?>\n<svg>'), /SVG/],
  ['an error of a bucket', latin('<?xml version="1.0"?><Error><Code>AccessDenied'), /it is XML/],
  ['bzip2', latin('BZh91AY&SY'), /bzip2/],
  ['xz', latin('\xfd7zXZ\x00\x00'), /xz/],
  ['Zstandard', latin('\x28\xb5\x2f\xfd\x24'), /Zstandard/],
  ['a HEIC', latin('\x00\x00\x00\x18ftypheic\x00\x00'), /HEIC.*pillow-heif/],
  ['a video', latin('\x00\x00\x00\x18ftypisom\x00\x00'), /video/],
  ['JPEG XL', latin('\xff\x0a\x00'), /JPEG XL/],
  ['a PDF', latin('%PDF-1.7'), /PDF/],
  ['zeros', new Uint8Array(512), /zeros/],
  ['nothing', new Uint8Array(), /empty/],
];

test.each(BY_FORMAT)('%s is named by its bytes', (_, head, reason) => {
  expect(otherKind(head, 'f.bin', 'tensors')).toMatch(reason);
});

test('what was wanted is no other kind, and unknown bytes are none', () => {
  const safetensors = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}  ')]);
  expect(otherKind(safetensors, 'f', 'tensors')).toBeNull();
  expect(otherKind(safetensors, 'f', 'image')).toMatch(/a safetensors file/);
  expect(otherKind(latin('\xff\xd8\xff\xe0'), 'f', 'image')).toBeNull();
  expect(otherKind(latin('{"a":1}'), 'f', 'text')).toBeNull();
  expect(otherKind(latin('no known beginning'), 'f', 'tensors')).toBeNull();
});

test('a remedy never writes over the file that it reads', () => {
  expect(otherKind(latin('GIF89a'), 'a/x.png', 'image')).toContain('.save("a/x.new.png")');
  expect(otherKind(zip('x/data.pkl'), 'w.safetensors', 'tensors')).toContain('"w.new.safetensors")');
});

const python = onnxPython();
const line = (said: string): string => /in Python: (.*?)(?: \(Pillow|$)/.exec(said)?.[1] ?? '';

test.skipIf(python.reason !== '')(
  `pictures that Pillow writes in other formats are named, and become PNG by the line that is told${python.reason}`,
  async () => {
    const folder = temporaryFolder();
    const kinds = {
      webp: 'WebP',
      avif: 'AVIF',
      bmp: 'BMP',
      gif: 'GIF',
      tiff: 'TIFF',
      jp2: 'JPEG 2000',
      ico: 'ICO',
    };
    const run = (program: string): Buffer =>
      execFileSync(python.command, ['-c', program], { env: python.env, cwd: folder });
    run(
      `from PIL import Image\nfor kind in ${JSON.stringify(Object.keys(kinds))}: Image.new("RGB", (16, 16), (200, 30, 40)).save("x." + kind)`,
    );
    for (const [ending, name] of Object.entries(kinds)) {
      const hidden = join(folder, `${ending}.jpg`);
      writeFileSync(hidden, readFileSync(join(folder, `x.${ending}`)));
      const said = (await otherKindOf(hidden, 'image')) ?? '';
      expect(said, ending).toContain(`it is a`);
      expect(said, ending).toContain(name);
      run(line(said));
      const made = readFileSync(join(folder, `${ending}.png`));
      expect([...made.subarray(0, 4)], ending).toEqual([0x89, 0x50, 0x4e, 0x47]);
    }
  },
);

test.skipIf(python.reason !== '')(`ONNX models and NumPy's files are named${python.reason}`, async () => {
  const folder = temporaryFolder();
  const program = `
import numpy, onnx
from onnx import TensorProto, helper
value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
for producer in ["", "pytorch"]:
  onnx.save(helper.make_model(graph, producer_name=producer), "m" + producer + ".onnx")
numpy.savez("a.npz", x=numpy.zeros(3)); numpy.save("a.npy", numpy.zeros(3))
`;
  execFileSync(python.command, ['-c', program], { env: python.env, cwd: folder });
  for (const [file, name] of [
    ['m.onnx', 'an ONNX model'],
    ['mpytorch.onnx', 'an ONNX model'],
    ['a.npz', "NumPy's npz"],
    ['a.npy', "NumPy's npy"],
  ] as const)
    expect(await otherKindOf(join(folder, file), 'tensors'), file).toContain(`it is ${name}; `);
});

test('what gzip packed is unpacked by the command that is told, whatever its name', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'weights.safetensors');
  const whole = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}')]);
  writeFileSync(file, gzipSync(whole));
  const said = (await otherKindOf(file, 'tensors')) ?? '';
  execFileSync('sh', ['-c', /unpack it first: (.*)$/.exec(said)?.[1] ?? '']);
  expect((await readSafetensors(`${file}.unpacked`)).size).toBe(0);
});

test('a file that cannot be read has no kind', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'd'));
  expect(await otherKindOf(join(folder, 'd'), 'text')).toBeNull();
  expect(await otherKindOf(join(folder, 'none'), 'text')).toBeNull();
});

test('a reader of tensors names what it was given', async () => {
  const file = join(temporaryFolder(), 'weights.safetensors');
  writeFileSync(file, '<!doctype html><title>404</title>');
  await expect(readSafetensors(file)).rejects.toMatchObject({
    code: 'E_SAFETENSORS',
    message: expect.stringMatching(/weights\.safetensors: expected a safetensors file; it is a web page/),
  });
});
