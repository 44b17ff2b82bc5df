// The formats that `export` writes, one row each: the key is the flag and the option of that name.
import { exportOnnx } from './onnx.js';
import { OPSET } from './onnx-ops.js';
import { exportDot, exportSvg } from './picture.js';
import { exportSafetensors, loaderBeside } from './safetensors.js';
import type { ExportSource } from './source.js';

/** Settings of all formats; each takes those that concern it. */
export interface ExportSettings {
  /** Of ONNX: batch norms stay nodes of their own; default false: folded into the layers before them. */
  readonly keepBatchNorm?: boolean | undefined;
}

interface Format {
  /** What the flag's help says it writes. */
  readonly writes: string;
  /** Further files that come with it. @throws E_USAGE where the file's name does not do */
  readonly beside?: (file: string) => readonly string[];
  /** Writes the file, whole or not at all, and says what it wrote. */
  readonly document: (
    source: ExportSource,
    file: string,
    settings: ExportSettings,
  ) => Promise<{ readonly file: string }>;
}

export const FORMATS = {
  onnx: { writes: `ONNX model, opset ${OPSET}`, document: exportOnnx },
  safetensors: {
    writes: 'weights for PyTorch, with a Python module beside them that loads them',
    beside: (file) => [loaderBeside(file)],
    document: exportSafetensors,
  },
  dot: { writes: 'picture of the network for Graphviz', document: exportDot },
  svg: { writes: 'picture of the network', document: exportSvg },
} as const satisfies Readonly<Record<string, Format>>;

/** A format that networks are exported to. */
export type FormatName = keyof typeof FORMATS;
/** What each format wrote, those that were asked for. */
export type Written = {
  readonly [K in FormatName]?: Awaited<ReturnType<(typeof FORMATS)[K]['document']>>;
};

/** The same table to walk over, whatever the rows' own types are. */
export const FORMAT_ROWS: readonly (readonly [FormatName, Format])[] = (
  Object.keys(FORMATS) as FormatName[]
).map((name) => [name, FORMATS[name]]);
