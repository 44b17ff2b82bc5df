// An ONNX model's bytes: graph, metadata and schema put together, encoded by protobufjs.

import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { writeFileAtomic } from '../machine/files/atomic.js';
import { packageVersion } from '../machine/version.js';
import { foldBatchNorms, type Weighted } from './fold.js';
import { metadataOf } from './metadata.js';
import { onnxGraph } from './onnx-graph.js';
import { IR_VERSION, OPSET } from './onnx-ops.js';
import { ONNX_SCHEMA } from './onnx-schema.js';
import type { ExportSource } from './source.js';

/** A protobuf message ends at 2 GiB; what is not weights takes far less than the rest. */
const MOST_WEIGHT_BYTES = 2 ** 31 - 2 ** 24;

/** What was written as ONNX. */
export interface OnnxExport {
  readonly file: string;
  readonly opset: number;
  readonly bytes: number;
}

export interface OnnxOptions {
  /** Leaves batch norms as nodes of their own; default false: folded into the layers before them. */
  readonly keepBatchNorm?: boolean | undefined;
}

/** @throws E_ARGUMENT where the weights alone are too large for one protobuf message, before any is read */
function refuseTooLarge(graph: Graph): void {
  const parameters = lower(graph).instructions.flatMap((instruction) => instruction.parameters);
  const bytes = parameters.reduce((sum, { shape }) => sum + 4 * shape.reduce((n, size) => n * size, 1), 0);
  if (bytes <= MOST_WEIGHT_BYTES) return;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `an ONNX file holds less than 2 GiB, the weights of "${graph.name}" take ${bytes} bytes; export --safetensors instead`,
  );
}

/**
 * The ONNX file of a network in evaluation mode: input `input` float32 [N, C, H, W] with free N, output `logits`
 * float32 [N, classes], opset 17.
 *
 * @throws E_NOT_FINITE where a folded weight is too large for float32
 */
export async function encodeOnnx(
  network: Weighted,
  { keepBatchNorm = false }: OnnxOptions = {},
): Promise<Uint8Array> {
  const { default: protobuf } = await import('protobufjs/light.js');
  const type = protobuf.Root.fromJSON(ONNX_SCHEMA).lookupType('onnx.ModelProto');
  const { graph } = network;
  return type
    .encode(
      type.fromObject({
        irVersion: IR_VERSION,
        producerName: 'splitgrow',
        producerVersion: packageVersion(),
        opsetImport: [{ domain: '', version: OPSET }],
        graph: onnxGraph(keepBatchNorm ? network : foldBatchNorms(network)),
        // MACs and parameters of the network as it was grown, whatever folding leaves of it.
        metadataProps: Object.entries(metadataOf(graph)).map(([key, value]) => ({ key, value })),
      }),
    )
    .finish();
}

/** Writes the model, whole or not at all. @throws E_ARGUMENT, E_NOT_FINITE, E_WRITE */
export async function exportOnnx(
  source: ExportSource,
  file: string,
  options: OnnxOptions,
): Promise<OnnxExport> {
  refuseTooLarge(source.graph);
  const bytes = await encodeOnnx({ graph: source.graph, weights: await source.weights() }, options);
  await writeFileAtomic(file, bytes);
  return { file, opset: OPSET, bytes: bytes.byteLength };
}
