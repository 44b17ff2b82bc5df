// Every file of JSON and of text that a user gives: with a byte order mark it is taken; a name given twice and another encoding are refused.
import { readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cost } from '../../lib/api/cost.js';
import { split } from '../../lib/api/split.js';
import { train } from '../../lib/api/train.js';
import { readLines } from '../../lib/data/images/labels.js';
import { EXPERIMENTS, readFigure } from '../../lib/figure/files.js';
import { readExperiment } from '../../lib/run/spec/spec.js';
import { readExperimentKept } from '../../lib/run/store/output.js';
import { readStageRecord } from '../../lib/run/store/summary.js';
import { asRead, temporaryFolder } from '../run/tiny.js';
import { writeNetwork } from './batch-files.js';

interface Case {
  /** Writes what is needed beside the file, and gives its name and its text as it should be. */
  readonly given: (folder: string) => Promise<readonly [file: string, text: string]>;
  readonly read: (folder: string) => Promise<unknown>;
  readonly code: string;
}

const EXPERIMENT = JSON.stringify({
  name: 'x',
  network: { preset: 'mobilenet_cifar10' },
  data: { name: 'cifar10', root: 'DIR' },
});

const CASES: Readonly<Record<string, Case>> = {
  'network.json': {
    given: async (folder) => {
      const directory = await writeNetwork(folder);
      return ['network/network.json', readFileSync(join(directory, 'network.json'), 'utf8')];
    },
    read: (folder) => cost({ network: join(folder, 'network') }),
    code: 'E_GRAPH_FORMAT',
  },
  'a plan': {
    given: async () => ['plan.json', '{"splits": {}}'],
    read: (folder) =>
      split({
        ...{ network: join(folder, 'none'), plan: join(folder, 'plan.json'), directions: 'none' },
        ...{ epsilon: 0, out: join(folder, 'out') },
      }).catch((error: Error) => {
        // The plan is read first: where it is good, the network is missed.
        if (!error.message.includes(join(folder, 'none'))) throw error;
      }),
    code: 'E_PLAN',
  },
  'an experiment': {
    given: async () => ['experiment.json', EXPERIMENT],
    read: (folder) => readExperiment(join(folder, 'experiment.json')),
    code: 'E_EXPERIMENT',
  },
  "a figure's file": {
    given: async (folder) => {
      await cp(EXPERIMENTS, folder, { recursive: true });
      return ['fig3/figure.json', readFileSync(join(EXPERIMENTS, 'fig3/figure.json'), 'utf8')];
    },
    read: (folder) => readFigure('fig3', folder),
    code: 'E_EXPERIMENT',
  },
  "a run's experiment": {
    given: async () => ['experiment.json', EXPERIMENT],
    read: readExperimentKept,
    code: 'E_RESUME',
  },
  "a stage's record": {
    given: async () => ['stage.json', '{"format": "splitgrow-stage/1"}'],
    read: readStageRecord,
    code: 'E_RESUME',
  },
};

/** Bytes of the file, from its good text. */
const FAULTS: readonly (readonly [what: string, bytes: (text: string) => Buffer, says: string])[] = [
  ['a name twice', (text) => Buffer.from(`{"twice": 1, "twice": 1, ${text.slice(1)}`), '"twice"'],
  ['Latin-1', (text) => Buffer.from(`{"é": 1, ${text.slice(1)}`, 'latin1'), 'expected text in UTF-8, line 1'],
  ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le'), 'expected text in UTF-8, found UTF-16'],
];

test.each(Object.entries(CASES))(
  '%s is taken with a byte order mark, and refused with faults',
  async (_what, { given, read, code }) => {
    const folder = temporaryFolder();
    const [name, text] = await given(folder);
    const file = join(folder, name);
    writeFileSync(file, text);
    const good = await read(folder);
    writeFileSync(file, `\ufeff${text}`);
    expect(await read(folder)).toEqual(good);
    for (const [what, bytes, says] of FAULTS) {
      writeFileSync(file, bytes(text));
      await expect(read(folder), what).rejects.toMatchObject({ code, exitCode: 2 });
      await expect(read(folder), what).rejects.toThrow(says);
    }
  },
);

test('a label list is read with a byte order mark, and refused in another encoding with its line', async () => {
  const file = join(temporaryFolder(), 'val.txt');
  writeFileSync(file, '\ufeffa.jpg n01\r\n\r\nb.jpg n02');
  expect(await readLines(file)).toEqual(['a.jpg n01', 'b.jpg n02']);
  writeFileSync(file, Buffer.from('a.jpg caf\u00e9\n', 'latin1'));
  await expect(readLines(file)).rejects.toMatchObject({
    code: 'E_DATA',
    message: `${file}: expected a text file; expected text in UTF-8, line 1 is in another encoding; save the file as UTF-8`,
  });
});

test('a value of --set with a name given twice is refused', async () => {
  const experiment = JSON.parse(EXPERIMENT) as object;
  const set = ['stop={"stages":1,"macs":2,"stages":3}'];
  await expect(train({ experiment: asRead(experiment), set })).rejects.toMatchObject({
    code: 'E_EXPERIMENT',
    message: `--set ${set[0]}: the name "stages" is given twice`,
  });
});
