// The part of ONNX's protobuf schema (onnx.proto, IR version 8) that an exported model uses, as protobufjs reads it.
import type { INamespace } from 'protobufjs';

/** onnx.TensorProto.DataType.FLOAT and onnx.AttributeProto.AttributeType, as numbers of the schema. */
export const FLOAT = 1;
export const ATTRIBUTE = { float: 1, int: 2, ints: 7 } as const;

const field = (type: string, id: number): { readonly type: string; readonly id: number } => ({ type, id });
const list = (
  type: string,
  id: number,
): { readonly rule: 'repeated'; readonly type: string; readonly id: number } => ({
  rule: 'repeated',
  type,
  id,
});

export const ONNX_SCHEMA = {
  options: { syntax: 'proto2' },
  nested: {
    onnx: {
      nested: {
        AttributeProto: {
          fields: {
            name: field('string', 1),
            f: field('float', 2),
            i: field('int64', 3),
            ints: { ...list('int64', 8), options: { packed: false } },
            type: field('int32', 20),
          },
        },
        NodeProto: {
          fields: {
            input: list('string', 1),
            output: list('string', 2),
            name: field('string', 3),
            opType: field('string', 4),
            attribute: list('AttributeProto', 5),
          },
        },
        StringStringEntryProto: { fields: { key: field('string', 1), value: field('string', 2) } },
        OperatorSetIdProto: { fields: { domain: field('string', 1), version: field('int64', 2) } },
        TensorProto: {
          fields: {
            dims: { ...list('int64', 1), options: { packed: false } },
            dataType: field('int32', 2),
            name: field('string', 8),
            rawData: field('bytes', 9),
          },
        },
        Dimension: {
          oneofs: { value: { oneof: ['dimValue', 'dimParam'] } },
          fields: { dimValue: field('int64', 1), dimParam: field('string', 2) },
        },
        TensorShapeProto: { fields: { dim: list('Dimension', 1) } },
        TensorType: { fields: { elemType: field('int32', 1), shape: field('TensorShapeProto', 2) } },
        TypeProto: { fields: { tensorType: field('TensorType', 1) } },
        ValueInfoProto: { fields: { name: field('string', 1), type: field('TypeProto', 2) } },
        GraphProto: {
          fields: {
            node: list('NodeProto', 1),
            name: field('string', 2),
            initializer: list('TensorProto', 5),
            input: list('ValueInfoProto', 11),
            output: list('ValueInfoProto', 12),
            valueInfo: list('ValueInfoProto', 13),
          },
        },
        ModelProto: {
          fields: {
            irVersion: field('int64', 1),
            producerName: field('string', 2),
            producerVersion: field('string', 3),
            graph: field('GraphProto', 7),
            opsetImport: list('OperatorSetIdProto', 8),
            metadataProps: list('StringStringEntryProto', 14),
          },
        },
      },
    },
  },
} satisfies INamespace;
