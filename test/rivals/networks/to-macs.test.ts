import { expect, test } from 'vitest';
import { channelGroups } from '../../../lib/graph/channels.js';
import { macs } from '../../../lib/graph/cost.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { type Keep, prune } from '../../../lib/graph/prune.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import type { Importance } from '../../../lib/rivals/networks/importance.js';
import { keepGlobal, keepUniform } from '../../../lib/rivals/networks/to-macs.js';
import { drawOf, randomGraph } from '../../random-graphs.js';
import { codeOf, messageOf } from '../../reference.js';

const macsOf = (graph: Graph, keep: Keep): number => macs(prune(graph, keep).graph);

/** Importances with many equal ones. */
function randomImportance(graph: Graph, seed: number): Importance {
  const { below } = drawOf(seed + 7);
  const groups = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
  return new Map(
    groups.map(({ id, neurons }) => [id, Float64Array.from({ length: neurons }, () => below(12) / 4)]),
  );
}

/** Channels by falling importance, the first of equal ones first. */
const ranked = (values: Float64Array): number[] =>
  [...values.keys()].sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
const top = (values: Float64Array, count: number): number[] =>
  ranked(values)
    .slice(0, count)
    .sort((a, b) => a - b);

/** The rule at every point where it changes: shares just at or just below half a channel. */
function everyUniform(importance: Importance): Keep[] {
  const shares = [...importance.values()].flatMap(({ length: n }) =>
    Array.from({ length: n }, (_, k) => (k + 0.5) / n + 1e-12),
  );
  return [0, ...shares, 1].map(
    (share) =>
      new Map([...importance].map(([id, v]) => [id, top(v, Math.max(1, Math.round(v.length * share)))])),
  );
}

function everyGlobal(importance: Importance): Keep[] {
  const thresholds = [-1, ...[...importance.values()].flatMap((values) => [...values])];
  return thresholds.map(
    (t) =>
      new Map(
        [...importance].map(([id, v]) => {
          const above = [...v.keys()].filter((i) => (v[i] ?? 0) > t);
          return [id, above.length > 0 ? above : ranked(v).slice(0, 1)];
        }),
      ),
  );
}

for (const [name, rule, every] of [
  ['one ratio for all groups', keepUniform, everyUniform],
  ['one threshold for all groups', keepGlobal, everyGlobal],
] as const) {
  test(`${name} keeps the largest network of at most the target that the rule can give`, () => {
    let tried = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      const graph = randomGraph(seed);
      const importance = randomImportance(graph, seed);
      if (importance.size === 0) continue;
      const reachable = every(importance).map((keep) => ({ keep, cost: macsOf(graph, keep) }));
      const least = Math.min(...reachable.map(({ cost }) => cost));
      for (const share of [0, 0.2, 0.5, 0.9, 1, 2]) {
        const target = Math.floor(least + share * (macs(graph) - least));
        const best = Math.max(...reachable.map(({ cost }) => cost).filter((cost) => cost <= target));
        const keep = rule(graph, importance, target);
        expect(macsOf(graph, keep), `seed ${seed}, share ${share}`).toBe(best);
        const same = reachable.filter(({ cost }) => cost === best).map((one) => [...one.keep]);
        expect(same, `seed ${seed}, share ${share}`).toContainEqual([...keep]);
        tried += 1;
      }
      expect(
        codeOf(() => rule(graph, importance, least - 1)),
        `seed ${seed}`,
      ).toBe('E_ARGUMENT');
    }
    expect(tried).toBeGreaterThan(200);
  });
}

test('one ratio halves every group of MobileNetV1, and hits its 0.5x MACs', () => {
  const graph = buildPreset('mobilenet_v1', { resolution: 32 });
  const half = macs(buildPreset('mobilenet_v1', { width: 0.5, resolution: 32 }));
  const importance = randomImportance(graph, 1);
  const keep = keepUniform(graph, importance, half);
  for (const [id, values] of importance) expect(keep.get(id)?.length).toBe(values.length / 2);
  expect(macsOf(graph, keep)).toBe(half);
});

test('groups without an importance stay whole, and importances that do not fit are refused', () => {
  const graph = buildPreset('mobilenet_cifar10', { width: 4, resolution: 8 });
  const only = new Map([['b1_pw', Float64Array.of(1, 3, 2, 0)]]);
  for (const rule of [keepUniform, keepGlobal]) {
    expect(rule(graph, only, macs(graph) - 1)).toEqual(new Map([['b1_pw', [0, 1, 2]]]));
    expect(rule(graph, only, macs(graph))).toEqual(new Map([['b1_pw', [0, 1, 2, 3]]]));
    const wrong = {
      'another length': ['stem', 3],
      'a frozen group': ['classifier', 10],
      'no such group': ['b1_dw', 4],
    } as const;
    for (const [what, [id, length]] of Object.entries(wrong)) {
      const importance = new Map([[id, new Float64Array(length)]]);
      expect(
        codeOf(() => rule(graph, importance, 1e9)),
        what,
      ).toBe('E_ARGUMENT');
    }
    const nan = new Map([['stem', Float64Array.of(1, Number.NaN, 1, 1)]]);
    expect(codeOf(() => rule(graph, nan, 1e9))).toBe('E_ARGUMENT');
    expect(messageOf(() => rule(graph, only, 1))).toMatch(/at least \d+ MACs, what one channel .*got 1$/);
  }
});
