// Exported ONNX models pass onnx's checker, and ONNX Runtime's logits are ours: every op, every activation, every preset, folded and kept.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportNetwork } from '../../lib/api/export.js';
import { OPSET } from '../../lib/export/onnx-ops.js';
import { macs } from '../../lib/graph/cost.js';
import { OPS } from '../../lib/graph/ops.js';
import { ZOO } from '../../lib/models/zoo.js';
import { allGraphs, type Case, PRESET_NAMES, writeCase } from './cases.js';
import { onnxPython } from './python.js';

/**
 * Of the largest logit. Two float32 programs that add in different orders: about sqrt(depth x fan-in) roundings of 6e-8,
 * some 1e-5 for resnet50; folding rounds each weight once more. The worst seen was 6.4e-6 (mobilenet_v2).
 */
const RTOL = 2e-5;
/** 8 bits for each value and weight, through a dozen layers, calibrated on three images: a wrong scale or a lost layer is off by about 1. */
const INT8_RTOL = 0.25;

interface Found {
  readonly together: number;
  readonly alone: number;
  readonly ops: readonly string[];
  readonly nodes: number;
  readonly opset: number;
  readonly ir: number;
  readonly input: readonly (readonly (string | number)[])[];
  readonly output: readonly (readonly (string | number)[])[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly undescribed: readonly string[];
  readonly int8?: { readonly distance: number; readonly ops: readonly string[] };
}

const python = onnxPython();

describe.skipIf(python.reason !== '')(`ONNX Runtime${python.reason}`, () => {
  let folder = '';
  const cases: Case[] = [];
  const folded: Found[] = [];
  const kept: Found[] = [];

  /** Every case in both forms, looked at by one Python process. */
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'splitgrow-onnx-'));
    const asked: unknown[] = [];
    for (const [i, graph] of allGraphs().entries()) {
      const found = await writeCase(graph, join(folder, String(i)), i + 1);
      cases.push(found);
      const images = join(found.directory, 'images.raw');
      await writeFile(images, found.images.data);
      for (const keepBatchNorm of [false, true]) {
        const onnx = join(found.directory, keepBatchNorm ? 'kept.onnx' : 'folded.onnx');
        await exportNetwork({ network: found.directory, onnx, keepBatchNorm });
        const isInt8 = !keepBatchNorm && graph.name.startsWith('mobilenet_cifar10');
        asked.push({ onnx, images, shape: found.images.shape, logits: found.logits, quantise: isInt8 });
      }
    }
    const told = execFileSync(python.command, [join(import.meta.dirname, 'check.py')], {
      env: { ...python.env, OMP_NUM_THREADS: '1' },
      input: JSON.stringify(asked),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 1 << 26,
    });
    for (const [i, found] of (JSON.parse(told) as Found[]).entries())
      (i % 2 === 0 ? folded : kept).push(found);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('every op of the table and every preset is among the cases', () => {
    const used = new Set(cases.flatMap(({ graph }) => graph.nodes.map(({ op }) => op)));
    expect([...used].sort()).toEqual(Object.keys(OPS).sort());
    expect([...PRESET_NAMES].sort()).toEqual(Object.keys(ZOO).sort());
  });

  test('the logits are ours, for a batch of three and one by one, folded and not', () => {
    for (const [i, { graph }] of cases.entries()) {
      for (const [form, found] of [
        ['folded', folded[i]],
        ['kept', kept[i]],
      ] as const) {
        expect(found?.together, `${graph.name}, ${form}`).toBeLessThan(RTOL);
        expect(found?.alone, `${graph.name}, ${form}, one by one`).toBeLessThan(RTOL);
      }
    }
  });

  test('input and output are described with a free batch size, in opset 17', () => {
    for (const [i, { graph, logits }] of cases.entries()) {
      expect(folded[i]).toMatchObject({
        opset: OPSET,
        ir: 8,
        input: [['N', ...graph.input.shape]],
        output: [['N', logits[0]?.length]],
      });
    }
  });

  test('every inner value has the shape that onnx infers for it', () => {
    for (const [i, { graph }] of cases.entries())
      expect([folded[i]?.undescribed, kept[i]?.undescribed], graph.name).toEqual([[], []]);
  });

  test('batch norms behind layers are folded away, unless they are to be kept', () => {
    for (const [i, { graph }] of cases.entries()) {
      const [without, withNorms] = [folded[i], kept[i]];
      if (PRESET_NAMES.some((name) => graph.name.startsWith(name)))
        expect(without?.ops, graph.name).not.toContain('BatchNormalization');
      const isThere = graph.nodes.some(({ op }) => op === 'batch_norm');
      expect(withNorms?.ops.includes('BatchNormalization'), graph.name).toBe(isThere);
      expect(without?.nodes).toBeLessThanOrEqual(withNorms?.nodes ?? 0);
    }
  });

  test('the metadata says how images become input and what the network costs', () => {
    for (const [i, { graph }] of cases.entries()) {
      const { metadata } = folded[i] as Found;
      expect(metadata.macs).toBe(String(macs(graph)));
      const [channels, ...size] = graph.input.shape;
      expect(JSON.parse(metadata.preprocessing ?? '')).toMatchObject({
        size,
        divisor: 255,
        mean: graph.input.mean ?? null,
        std: graph.input.std ?? null,
        colours: channels === 3 ? 'RGB' : channels === 1 ? 'gray' : 'channels',
      });
    }
  });

  test('a folded model can be quantised to 8 bits as it is', () => {
    const [found] = folded.filter(({ int8 }) => int8 !== undefined);
    expect(found?.int8?.ops).toContain('QuantizeLinear');
    expect(found?.int8?.distance).toBeLessThan(INT8_RTOL);
  });
});
