// The rule of the rooms: each way to break it is found in a made-up lib/, and nothing else is.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { inFolder, ROOT } from '../data/places.js';

const {
  brokenImportRules,
  ROOMS,
}: { brokenImportRules: (root: string) => string[]; ROOMS: readonly string[] } = await import(
  join(ROOT, 'scripts', 'check-imports.mjs')
);

/** What is told of these files of lib/, and of native/core/. */
async function problemsOf(
  files: Readonly<Record<string, string>>,
  native: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  let problems: readonly string[] = [];
  await inFolder(async (root) => {
    for (const [folder, content] of [['lib', files] as const, ['native/core', native] as const])
      for (const [name, text] of Object.entries(content)) {
        await mkdir(dirname(join(root, folder, name)), { recursive: true });
        await writeFile(join(root, folder, name), text);
      }
    problems = brokenImportRules(root);
  });
  return problems;
}

test('imports of the own room and of rooms below it are right, types and lazy ones too', async () => {
  const problems = await problemsOf({
    'errors.ts': 'export const code = 1;\n',
    'graph/size.ts': "import { code } from '../errors.js';\n",
    'graph/cost.ts': "import { readFileSync } from 'node:fs';\nimport type { Size } from './size.js';\n",
    'machine/files/lease.ts': "import type {\n  Environment,\n} from '../environment.js';\n",
    'machine/environment.ts': 'export type Environment = object;\n',
    'cli/main.ts': "export { cost } from '../graph/cost.js';\nawait import('../machine/files/lease.js');\n",
  });
  expect(problems).toEqual([]);
});

test.each([
  ['an import', "import { main } from '../cli/main.js';"],
  ['a type import', "import type { Main } from '../cli/main.js';"],
  ['an import of several lines', "import {\n  a,\n  b,\n} from '../cli/main.js';"],
  ['a re-export', "export * from '../cli/main.js';"],
  ['a lazy import', "const main = await import('../cli/main.js');"],
])('%s that leads up is found', async (_, text) => {
  const problems = await problemsOf({ 'graph/cost.ts': `${text}\n`, 'cli/main.ts': '' });
  expect(problems).toEqual(['lib/graph/cost.ts must not import lib/cli/main.ts: its room comes later']);
});

test('a room within a room has its own place in the order', async () => {
  const problems = await problemsOf({
    'machine/files/lease.ts': "import { doctor } from '../doctor/doctor.js';\n",
    'machine/doctor/doctor.ts': '',
  });
  expect(problems).toEqual([
    'lib/machine/files/lease.ts must not import lib/machine/doctor/doctor.ts: its room comes later',
  ]);
});

test('a circle is found once, of type imports too, and with every file of it', async () => {
  const problems = await problemsOf({
    'graph/a.ts': "import type { B } from './b.js';\n",
    'graph/b.ts': "import type { C } from './c.js';\n",
    'graph/c.ts': "import type { A } from './a.js';\n",
    'graph/reader.ts': "import type { A } from './a.js';\n",
  });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^files import each other in a circle: /);
  const named = problems[0]?.replace(/^.*: /, '').split(', ').sort();
  expect(named).toEqual(['lib/graph/a.ts', 'lib/graph/b.ts', 'lib/graph/c.ts']);
});

test('a file without a room is found', async () => {
  const problems = await problemsOf({ 'loose.ts': '', 'attic/box.ts': '' });
  expect(problems).toEqual([
    'lib/attic/box.ts lies in no room of scripts/check-imports.mjs',
    'lib/loose.ts lies in no room of scripts/check-imports.mjs',
  ]);
});

test('only the loaders load native code', async () => {
  const loads = "const path = require('node-gyp-build').path('.');\n";
  const opens = 'process.dlopen(module, path);\n';
  const problems = await problemsOf({
    'native/load.ts': opens,
    'machine/libtorch/addon.ts': loads,
    'machine/files/lease.ts': loads,
    'train/fit.ts': opens,
  });
  expect(problems).toHaveLength(2);
  expect(problems[0]).toMatch(/^lib\/machine\/files\/lease\.ts must not load native code: only /);
  expect(problems[1]).toMatch(/^lib\/train\/fit\.ts must not load native code: only /);
});

test('files of native/core/ are held to the order of their rooms', async () => {
  const problems = await problemsOf(
    {},
    {
      'tensor/a.h': '#include "ops/b.h"\n',
      'ops/b.h': '#include <vector>\n#include "tensor/c.h"\n',
      'ops/napi.cc': '#include <napi.h>\n',
      'ops/near.cc': '#include "b.h"\n',
      'tensor/c.h': '#include "tensor/d.h"\n',
      'tensor/d.h': '#include "tensor/c.h"\n',
      'bind/e.cc': '#include <napi.h>\n#include "ops/b.h"\n',
      'loose.cc': '',
    },
  );
  expect([...problems].sort()).toEqual([
    expect.stringMatching(
      /^files include each other in a circle: native\/core\/tensor\/[cd]\.h, native\/core\/tensor\/[cd]\.h$/,
    ),
    'native/core/loose.cc lies in no room of scripts/check-imports.mjs',
    expect.stringMatching(/^native\/core\/ops\/napi\.cc must not include napi\.h: only native\/core\/bind /),
    'native/core/ops/near.cc must name the path of native/core/b.h from native/core',
    'native/core/tensor/a.h must not include native/core/ops/b.h: its room comes later',
  ]);
});

test('each room of the list is there, once', () => {
  expect(new Set(ROOMS).size).toBe(ROOMS.length);
  expect(brokenImportRules(ROOT)).toEqual([]);
});
