// The JSON Schema of network.json, from the op table and the limits of its rules.
import { MAX_CLASS_NAME } from '../../../graph/classes.js';
import { FORMAT, INPUT } from '../../../graph/ir.js';
import { MAX_WIDTH } from '../../../graph/op-fields.js';
import { OPS, type Op } from '../../../graph/ops.js';
import { LIMITS } from '../../../graph/rules.js';
import { DRAFT, fieldSchema, type JsonSchema } from './json-schema.js';

const ID: JsonSchema = {
  description: 'unique in the file',
  type: 'string',
  pattern: '^[A-Za-z0-9_.-]+$',
  maxLength: LIMITS.nameLength,
  not: { enum: [INPUT, '__proto__'] },
};

function inputsSchema([least, most]: Op['arity']): JsonSchema {
  return {
    description: `ids of earlier nodes, or "${INPUT}"`,
    type: 'array',
    items: { type: 'string' },
    minItems: least,
    maxItems: most,
  };
}

/** A node of one op: its fields and no other. */
function nodeSchema(name: string, { fields, arity }: Op): JsonSchema {
  const own = Object.entries(fields);
  return {
    title: name,
    type: 'object',
    properties: {
      id: ID,
      op: { const: name },
      inputs: inputsSchema(arity),
      ...Object.fromEntries(own.map(([key, field]) => [key, fieldSchema(field)])),
    },
    required: [
      'id',
      'op',
      'inputs',
      ...own.flatMap(([key, field]) => (field.default === undefined ? [key] : [])),
    ],
    additionalProperties: false,
  };
}

const size = (maximum: number, description: string): JsonSchema => ({
  ...{ description, type: 'integer', minimum: 1, maximum },
});

const INPUT_SCHEMA: JsonSchema = {
  description: 'the images that the network takes',
  type: 'object',
  properties: {
    shape: {
      description: '[channels, height, width]',
      type: 'array',
      prefixItems: [
        size(MAX_WIDTH, 'channels'),
        size(LIMITS.inputSize, 'height in pixels'),
        size(LIMITS.inputSize, 'width in pixels'),
      ],
      minItems: 3,
      maxItems: 3,
    },
    mean: {
      description: 'per channel, what was subtracted from pixels / 255',
      type: 'array',
      items: { type: 'number' },
      minItems: 1,
    },
    std: {
      description: 'per channel, what they were divided by then',
      type: 'array',
      items: { type: 'number', exclusiveMinimum: 0 },
      minItems: 1,
    },
    shortSide: size(
      LIMITS.inputSize,
      "of image files: what evaluation brings the shorter side to before it takes the middle; from the input's longer side",
    ),
  },
  required: ['shape'],
  dependentRequired: { mean: ['std'], std: ['mean'] },
  additionalProperties: false,
};

/**
 * The JSON Schema (draft 2020-12) of network.json: every rule that looks at one value alone. Looser than the parser in
 * what ties nodes together: ids that are there and unique, widths and sizes, limits on sums.
 */
export function networkSchema(): JsonSchema {
  const ops = Object.entries(OPS);
  return {
    $schema: DRAFT,
    title: 'splitgrow network',
    description: 'The graph of a network: nodes in topological order, every width written once, as `out`.',
    type: 'object',
    properties: {
      $schema: { description: 'the JSON Schema that editors complete the file by', type: 'string' },
      format: { const: FORMAT },
      name: {
        description: 'one line of text',
        type: 'string',
        maxLength: LIMITS.nameLength,
        pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
      },
      input: INPUT_SCHEMA,
      classes: {
        description: 'names of the classes, as many as the output is wide',
        type: 'array',
        items: {
          type: 'string',
          maxLength: MAX_CLASS_NAME,
          pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$',
        },
        uniqueItems: true,
      },
      nodes: {
        description: 'in topological order',
        type: 'array',
        items: { oneOf: ops.map(([name]) => ({ $ref: `#/$defs/${name}` })) },
        minItems: 1,
        maxItems: LIMITS.nodes,
      },
      output: {
        description: 'id of the node whose values are the logits',
        type: 'string',
        not: { const: INPUT },
      },
    },
    required: ['format', 'name', 'input', 'nodes', 'output'],
    additionalProperties: false,
    $defs: Object.fromEntries(ops.map(([name, op]) => [name, nodeSchema(name, op)])),
  };
}
