// export: a network directory as files of other tools.
import { resolve } from 'node:path';
import { SplitgrowError } from '../errors.js';
import { type ExportSettings, FORMAT_ROWS, type FormatName, type Written } from '../export/formats.js';
import { openSource } from '../export/source.js';
import { refuseAborted } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import { watched } from '../native/watched.js';
import { FILES } from '../train/network.js';

/** One file a format, at least one of them. */
export type ExportOptions = { readonly [K in FormatName]?: string | undefined } & Partial<ExportSettings> & {
    /** A network directory. */
    readonly network: string;
  };

/** What `export` prints. */
export interface ExportDocument {
  /** The ONNX file where one was asked for, else the first file. */
  readonly file: string;
  /** Of the ONNX file, where one was asked for. */
  readonly opset?: number;
  /** The network's name. */
  readonly network: string;
  /** What was written, a row a format. */
  readonly formats: Written;
}

/** @throws E_USAGE where no format is asked for, or two files are to be one, or one of the network's own */
function asked(options: ExportOptions): readonly (readonly [FormatName, string])[] {
  const files = FORMAT_ROWS.flatMap(([name]) => {
    const file = options[name];
    return file === undefined ? [] : ([[name, file]] as const);
  });
  const flags = FORMAT_ROWS.map(([name]) => `--${name} FILE`).join(', ');
  if (files.length === 0) {
    throw new SplitgrowError('E_USAGE', `export: expected one of ${flags}, got none; name a format's file`);
  }
  const rows = new Map(FORMAT_ROWS);
  const taken = new Set(Object.values(FILES).map((own) => resolve(options.network, own)));
  for (const [name, file] of files) {
    for (const one of [file, ...(rows.get(name)?.beside?.(file) ?? [])]) {
      if (taken.has(resolve(one))) {
        throw new SplitgrowError(
          'E_USAGE',
          `export: expected files of their own, ${one} is one of the network's or of another format; give --${name} another`,
        );
      }
      taken.add(resolve(one));
    }
  }
  return files;
}

/**
 * Writes a network in the formats that options name files for, one after the other. Reads no addon and no LibTorch.
 *
 * @throws E_USAGE where no format is asked for; E_FILE, E_GRAPH_*, E_SAFETENSORS, E_WEIGHTS for the directory; E_WRITE;
 *   E_ABORTED between two formats; a file is either complete or absent
 */
export async function exportNetwork(
  options: ExportOptions,
  control: RunControl = {},
): Promise<ExportDocument> {
  return watched(control, (own) => exported(options, own));
}

async function exported(options: ExportOptions, control: RunControl): Promise<ExportDocument> {
  const files = asked(options);
  if (options.keepBatchNorm === true && options.onnx === undefined)
    throw new SplitgrowError('E_USAGE', '--keep-batch-norm: belongs to --onnx, which is not given');
  const source = await openSource(options.network, control);
  const rows = new Map(FORMAT_ROWS);
  const written: [string, unknown][] = [];
  for (const [name, file] of files) {
    refuseAborted(control);
    written.push([name, await rows.get(name)?.document(source, file, options)]);
  }
  const formats = Object.fromEntries(written) as Written;
  const { onnx } = formats;
  const main = onnx === undefined ? { file: files[0]?.[1] ?? '' } : { file: onnx.file, opset: onnx.opset };
  return { ...main, network: source.graph.name, formats };
}
