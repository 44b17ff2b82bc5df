// No handle outlives a run that fails, wherever it fails: at every call of the core, and at every event of the listener.
import { expect, test } from 'vitest';
import { grow } from '../../lib/index.js';
import type { Core } from '../../lib/native/face.js';
import { loadCore } from '../../lib/native/load.js';
import { asRead, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

/** Of one splitting stage with all that makes networks on the way: copies, candidates, steps of every kind. */
function experiment(folder: string, output: string): Record<string, unknown> {
  return {
    ...tinyExperiment(folder, output),
    fit: { epochs: 1, batch: 48, average: { decay: 0.5 } },
    splitting: {
      ...{ method: 'rayleigh', epochs: 1, images: 32, alongside: ['exact'], depthwiseBatchNorm: 'train' },
      ...{
        epsilon: 'line-search',
        epsilonScale: 'relative',
        rescale: 0.5,
        noise: 0.01,
        recalibrateImages: 32,
      },
      lineSearch: { grid: [0.05, 0.2], images: 32 },
    },
    stop: { stages: 1 },
  };
}

function handles(): Readonly<Record<string, number>> {
  return Object.fromEntries(
    loadCore()
      .handles()
      .map(({ kind, handles: count }) => [kind, count]),
  );
}

/** Calls that only look, or cannot fail. */
const QUIET = new Set<string>(['handles', 'features', 'memory', 'abort', 'pause', 'emptyCache']);

/** The core with its `at`-th call, counted from 1, replaced by a failure; tells the names of all calls. */
async function failingAt(at: number, work: () => Promise<unknown>): Promise<readonly string[]> {
  const core = loadCore() as unknown as Record<string, unknown>;
  const real = { ...core };
  const calls: string[] = [];
  for (const [name, value] of Object.entries(real)) {
    if (typeof value !== 'function' || QUIET.has(name)) continue;
    core[name] = (...all: readonly unknown[]): unknown => {
      calls.push(name);
      if (calls.length === at) throw new Error(`injected into ${name}`);
      return value(...all);
    };
  }
  try {
    await work();
  } finally {
    Object.assign(core, real);
  }
  return calls;
}

test('a run that fails at a call of the core leaves no handle', { timeout: 1_200_000 }, async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const run = (name: string) => grow(asRead(experiment(folder, `${folder}/${name}`)));
  const before = handles();
  const calls = await failingAt(0, () => run('whole'));
  expect(handles()).toEqual(before);
  expect(calls.length).toBeGreaterThan(30);
  // The first, the second and the last call of each function.
  const places = [...new Set(calls)].flatMap((name) => {
    const all = calls.flatMap((one, i) => (one === name ? [i + 1] : []));
    return [...new Set([all[0], all[1], all.at(-1)])].flatMap((at) => at ?? []);
  });
  for (const at of places) {
    let message = 'none';
    await failingAt(at, () => run(`at-${at}`)).catch((error: Error) => {
      message = error.message;
    });
    // A checkpoint that fails is told of and ends nothing; the rest is thrown.
    expect(handles(), `call ${at}: ${message}`).toEqual(before);
  }
});

test('a run whose listener throws leaves no handle, also where it goes on from a checkpoint', {
  timeout: 1_200_000,
}, async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const before = handles();
  let total = 0;
  const json = (name: string) => experiment(folder, `${folder}/${name}`);
  const notes = (at: number) => {
    let seen = 0;
    return {
      onEvent: ({ type }: { readonly type: string }): void => {
        if (type !== 'note') return;
        seen += 1;
        total = Math.max(total, seen);
        if (seen === at) throw new RangeError(`thrown at note ${at}`);
      },
    };
  };
  await grow(asRead(json('whole')), notes(0));
  for (const at of new Set([1, Math.ceil(total / 2), total - 1, total])) {
    await expect(grow(asRead(json(`at-${at}`)), notes(at))).rejects.toThrow(`thrown at note ${at}`);
    expect(handles(), `note ${at}`).toEqual(before);
    // The first note of a run that goes on says where.
    await expect(grow(asRead(json(`at-${at}`)), notes(1))).rejects.toThrow('thrown at note 1');
    expect(handles(), `going on after note ${at}`).toEqual(before);
  }
});

const core: Core = loadCore();
core.setThreads(1);
