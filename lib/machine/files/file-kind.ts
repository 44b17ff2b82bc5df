// Tells what a file is by its first bytes, not by its name. For messages about files that are not what was expected.
import { openFile, readFully } from './file.js';

/** Bytes at the start of a file that tell its kind. */
export const HEAD_BYTES = 512;

/** What a reader expected of the file. */
export type Wanted = 'tensors' | 'image' | 'text' | 'store';

/** A kind of file: how it begins, what it is called, and what to do with one where something else was expected. */
interface FileKind {
  readonly name: string;
  readonly is: (head: Uint8Array) => boolean;
  /** What to do with it, where something else was expected. */
  readonly remedy: (file: string) => string;
  /** A reader that can take such a file. For that reader the kind is no fault. */
  readonly goodFor?: Wanted;
}

const latin = (head: Uint8Array, from = 0, to = head.length): string =>
  Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1', from, to);
const begins =
  (...starts: readonly string[]) =>
  (head: Uint8Array): boolean =>
    starts.some((start) => latin(head, 0, start.length) === start);
const at =
  (offset: number, ...texts: readonly string[]) =>
  (head: Uint8Array): boolean =>
    texts.some((text) => latin(head, offset, offset + text.length) === text);
/** True for a text that begins in this way. Blanks and a byte order mark before it are skipped, and capitals do not matter. */
const opens =
  (...starts: readonly string[]) =>
  (head: Uint8Array): boolean => {
    const text = latin(head)
      .replace(/^\u00ef\u00bb\u00bf/, '')
      .trimStart()
      .toLowerCase();
    return starts.some((start) => text.startsWith(start));
  };

/** A text as Python and JSON write it. */
const quoted = (text: string): string => JSON.stringify(text);
/** The file's name with another ending; never the name itself, which the remedy would write over. */
function renamed(file: string, ending: string): string {
  const stem = file.replace(/\.[^./]*$/, '');
  return file === `${stem}.${ending}` ? `${stem}.new.${ending}` : `${stem}.${ending}`;
}
const asSafetensors = (file: string): string => renamed(file, 'safetensors');
const python = (lines: string): string => `in Python: ${lines}`;
const ofTorch = (file: string): string =>
  `save its tensors as safetensors, ${python(
    `import torch; from safetensors.torch import save_file; d = torch.load(${quoted(file)}, map_location="cpu", weights_only=True); d = d.get("state_dict", d); save_file({k: v.clone().contiguous() for k, v in d.items() if torch.is_tensor(v)}, ${quoted(asSafetensors(file))})`,
  )}`;
const ofNumpy = (file: string): string =>
  `save its arrays as safetensors, ${python(
    `import numpy; from safetensors.numpy import save_file; save_file({k: numpy.ascontiguousarray(v) for k, v in numpy.load(${quoted(file)}).items()}, ${quoted(asSafetensors(file))})`,
  )}`;
const ofArray = (file: string): string =>
  `save it as safetensors under the name that is expected, ${python(
    `import numpy; from safetensors.numpy import save_file; save_file({"NAME": numpy.ascontiguousarray(numpy.load(${quoted(file)}))}, ${quoted(asSafetensors(file))})`,
  )}`;
const ofPicture = (file: string): string =>
  `save it as PNG, ${python(`from PIL import Image; Image.open(${quoted(file)}).convert("RGB").save(${quoted(renamed(file, 'png'))})`)}`;
const ofFramework = (): string =>
  'save the state dict of the PyTorch model that it was made from as safetensors, and give that';
const unpack =
  (command: string) =>
  (file: string): string =>
    `unpack it first: ${command} ${quoted(file)}`;
/** The remedy by a program that looks at the content. The name may have any ending. */
const decompress =
  (program: string) =>
  (file: string): string =>
    `unpack it first: ${program} -dc ${quoted(file)} > ${quoted(`${file}.unpacked`)}`;
const another = (): string => 'give the file that was meant';
const download = (): string =>
  'what was downloaded is a page about the file: download the file itself (the link of its download button)';
const pull = (): string => 'fetch the file itself: git lfs pull';

const ZIP = begins('PK\x03\x04', 'PK\x05\x06');
const holds =
  (...names: readonly string[]) =>
  (head: Uint8Array): boolean =>
    ZIP(head) && names.some((name) => latin(head).includes(name));
const isPickle = (head: Uint8Array): boolean =>
  head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5;
/** What a file of before PyTorch 1.6 begins with: a pickled number of ten bytes. */
const LEGACY_MAGIC = '\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19';
/** Fields of ModelProto that may follow its version. */
const ONNX_SECOND = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42];
const isOnnx = (head: Uint8Array): boolean =>
  head[0] === 0x08 && (head[1] ?? 0) > 0 && (head[1] ?? 0) < 0x20 && ONNX_SECOND.includes(head[2] ?? 0);
const isSafetensors = (head: Uint8Array): boolean => {
  if (head.length < 10 || latin(head, 8, 9) !== '{') return false;
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  return length >= 2n && length <= 100_000_000n;
};
/** A still picture of HEIF's family: a box "ftyp" with one of these brands. */
const brands = (...names: readonly string[]) => {
  const isBrand = at(8, ...names);
  return (head: Uint8Array): boolean => at(4, 'ftyp')(head) && isBrand(head);
};

/** The first row that fits counts. */
const KINDS: readonly FileKind[] = [
  {
    name: 'a packed store of splitgrow',
    is: begins('SGSTORE1'),
    remedy: () => 'give it as data.store, or by --store',
    goodFor: 'store',
  },
  {
    name: 'a PyTorch file (a zip with data.pkl)',
    is: holds('/data.pkl', 'data.pkl', '/constants.pkl'),
    remedy: ofTorch,
  },
  { name: "NumPy's npz", is: holds('.npy'), remedy: ofNumpy },
  { name: 'a zip archive', is: ZIP, remedy: unpack('unzip') },
  {
    name: 'a PyTorch file of before 1.6 (a pickle)',
    is: (head) => isPickle(head) && latin(head).includes(LEGACY_MAGIC),
    remedy: ofTorch,
  },
  { name: 'a Python pickle', is: isPickle, remedy: ofTorch },
  { name: "NumPy's npy", is: begins('\x93NUMPY'), remedy: ofArray },
  { name: 'an HDF5 file (of Keras, perhaps)', is: begins('\x89HDF\r\n\x1a\n'), remedy: ofFramework },
  { name: 'a TensorFlow Lite model', is: at(4, 'TFL3'), remedy: ofFramework },
  { name: 'a GGUF file', is: begins('GGUF'), remedy: ofFramework },
  {
    name: 'a git-lfs pointer, not the file itself',
    is: opens('version https://git-lfs.github.com/spec'),
    remedy: pull,
  },
  { name: 'a web page (HTML)', is: opens('<!doctype html', '<html', '<head', '<script'), remedy: download },
  {
    name: 'an SVG picture',
    is: (head) => opens('<svg', '<?xml')(head) && /<svg/i.test(latin(head)),
    remedy: () => 'draw it as PNG',
  },
  { name: 'XML', is: opens('<?xml', '<error'), remedy: download },
  { name: 'compressed by gzip', is: begins('\x1f\x8b'), remedy: decompress('gzip') },
  {
    name: 'compressed by bzip2',
    is: (head) => /^BZh[1-9]/.test(latin(head, 0, 4)),
    remedy: decompress('bzip2'),
  },
  { name: 'compressed by xz', is: begins('\xfd7zXZ\x00'), remedy: decompress('xz') },
  { name: 'compressed by Zstandard', is: begins('\x28\xb5\x2f\xfd'), remedy: decompress('zstd') },
  { name: 'a 7z archive', is: begins('7z\xbc\xaf\x27\x1c'), remedy: unpack('7z x') },
  { name: 'a RAR archive', is: begins('Rar!\x1a\x07'), remedy: unpack('unrar x') },
  { name: 'a tar archive', is: at(257, 'ustar'), remedy: unpack('tar -xf') },
  { name: 'a JPEG picture', is: begins('\xff\xd8\xff'), remedy: another, goodFor: 'image' },
  { name: 'a PNG picture', is: begins('\x89PNG\r\n\x1a\n'), remedy: another, goodFor: 'image' },
  { name: 'a GIF picture', is: begins('GIF87a', 'GIF89a'), remedy: ofPicture },
  { name: 'a WebP picture', is: (head) => begins('RIFF')(head) && at(8, 'WEBP')(head), remedy: ofPicture },
  { name: 'an AVIF picture', is: brands('avif', 'avis'), remedy: ofPicture },
  {
    name: 'a HEIC picture',
    is: brands('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'),
    remedy: (file) => `${ofPicture(file)} (Pillow reads HEIC once pillow-heif is installed)`,
  },
  { name: 'a video (MP4)', is: at(4, 'ftyp'), remedy: () => 'take single pictures out of it: ffmpeg' },
  { name: 'a TIFF picture', is: begins('II*\x00', 'MM\x00*'), remedy: ofPicture },
  {
    name: 'a BMP picture',
    is: (head) => begins('BM')(head) && at(6, '\x00\x00\x00\x00')(head),
    remedy: ofPicture,
  },
  { name: 'a JPEG 2000 picture', is: begins('\x00\x00\x00\x0cjP  ', '\xff\x4f\xff\x51'), remedy: ofPicture },
  { name: 'a JPEG XL picture', is: begins('\xff\x0a', '\x00\x00\x00\x0cJXL '), remedy: ofPicture },
  { name: 'a picture of Photoshop (PSD)', is: begins('8BPS'), remedy: ofPicture },
  { name: 'an icon (ICO)', is: begins('\x00\x00\x01\x00'), remedy: ofPicture },
  { name: 'a PDF', is: begins('%PDF-'), remedy: () => 'save its pictures as PNG' },
  { name: 'a safetensors file', is: isSafetensors, remedy: another, goodFor: 'tensors' },
  { name: 'an ONNX model', is: isOnnx, remedy: ofFramework },
  { name: 'JSON', is: opens('{', '['), remedy: another, goodFor: 'text' },
  {
    name: 'nothing but zeros (a download or copy that was not finished)',
    is: (head) => head.length === HEAD_BYTES && head.every((byte) => byte === 0),
    remedy: () => 'copy or download it again',
  },
];

/**
 * What a file is, where its first bytes tell that and it is not what was wanted: "it is a GIF picture; save it as PNG, ..."; null
 * otherwise. `file` is its name as it is to stand in the message.
 */
export function otherKind(head: Uint8Array, file: string, wanted: Wanted): string | null {
  if (head.length === 0) return 'it is empty; copy or download it again';
  const found = KINDS.find(({ is }) => is(head));
  if (found === undefined || found.goodFor === wanted) return null;
  return `it is ${found.name}; ${found.remedy(file)}`;
}

/** The same for a file on disk; also null where it cannot be read. */
export async function otherKindOf(path: string, wanted: Wanted, shown = path): Promise<string | null> {
  try {
    await using handle = await openFile(path);
    const head = new Uint8Array(HEAD_BYTES);
    return otherKind(head.subarray(0, await readFully(handle, head, 0)), shown, wanted);
  } catch {
    return null;
  }
}
