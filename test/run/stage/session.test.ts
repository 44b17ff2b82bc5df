// Which images a stage measures its step on, and which ones may become weights.
import { expect, test } from 'vitest';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import { openSession, readData } from '../../../lib/run/stage/session.js';
import { startNetwork } from '../../../lib/run/stage/start.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

// 96 training images, 19 of them for validation.
test.each([
  ['"line-search"', 0.2, 19],
  ['"line-search"', 0, 64],
  ['0.1', 0.2, 64],
])(
  'with epsilon %s and validation %d the step is measured on %d images, the probe is of training',
  async (epsilon, validation, images) => {
    const folder = temporaryFolder();
    await writeTinyData(folder);
    const set = [`splitting.epsilon=${epsilon}`, `data.validation=${validation}`];
    const spec = parseExperiment(tinyExperiment(folder), set);
    const data = await readData(spec);
    using start = await startNetwork(spec, data, {});
    using session = openSession(spec, data, start.graph, {});
    const [step, probe] = [session.stepProbe(0), session.probe(0)];
    expect([step.images, probe.images]).toEqual([images, 64]);
    for (const { data: held } of [step, probe]) held.dispose();
  },
);
