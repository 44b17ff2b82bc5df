// The JavaScript in the documentation runs as it stands, but for the size of the run and where it writes.
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { inFolder, ROOT } from '../data/places.js';
import { blocks } from './pages.js';

const run = promisify(execFile);

function example(page: string, word: string): string {
  const found = blocks('js').filter((block) => block.page === page && block.code.includes(word));
  if (found.length !== 1)
    throw new Error(`${page}: expected one example with "${word}", found ${found.length}`);
  return found[0]?.code ?? '';
}

/** The code with one piece replaced, which must be there. */
function changed(code: string, from: string, to: string): string {
  if (!code.includes(from)) throw new Error(`the example has no "${from}" any more`);
  return code.replace(from, to);
}

/** Run in the checkout, where the package finds itself by its name. */
async function output(code: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: ROOT });
  return stdout.trim();
}

test("the README's script grows a network and prints a line a stage", { timeout: 300_000 }, () =>
  inFolder(async (folder) => {
    const smaller = changed(
      example('README.md', 'trainImages: 1024'),
      'trainImages: 1024',
      'trainImages: 256, testImages: 64',
    );
    const code = changed(
      smaller,
      "name: 'quick',",
      `name: 'quick', output: ${JSON.stringify(join(folder, 'run'))},`,
    );
    const said = (await output(code)).split('\n');
    expect(said).toHaveLength(3);
    expect(said[0]).toMatch(/^stage 0: \d+ MACs, top-1 [\d.]+ %$/);
    expect(await readdir(join(folder, 'run'))).toContain('stage-2');
  }),
);

test("the library page's script with events and abort runs", { timeout: 300_000 }, () =>
  inFolder(async (folder) => {
    const fields = [
      'stop.stages=0',
      'fit.epochs=1',
      'data.trainImages=256',
      'compare=[]',
      `output=${join(folder, 'run')}`,
    ];
    const code = changed(
      example('docs/library.md', 'AbortController'),
      "['stop.stages=1']",
      JSON.stringify(fields),
    );
    expect(await output(code)).toMatch(/^stage 0: .*\n(.*\n)*\d+$/);
  }),
);

test("the library page's loop over stages gives a line a stage", { timeout: 300_000 }, () =>
  inFolder(async (folder) => {
    const experiment = {
      experiment: 'experiments/demo.json',
      set: [
        ...['stop.stages=1', 'fit.epochs=1', 'data.trainImages=256', 'splitting.images=64', 'compare=[]'],
        `output=${join(folder, 'run')}`,
      ],
    };
    const code = changed(
      example('docs/library.md', 'top1 > 80'),
      "'experiments/demo.json'",
      JSON.stringify(experiment),
    );
    expect(await output(code)).toMatch(/^stage 0: \d+ MACs.*\nstage 1: .*stage-1$/);
  }),
);

test("the library page's costs and strategies are kept to", { timeout: 300_000 }, () =>
  inFolder(async (folder) => {
    const code = changed(
      changed(
        example('docs/library.md', 'cheap-first'),
        'trainImages: 1024',
        'trainImages: 256, testImages: 64',
      ),
      "name: 'latency',",
      `name: 'latency', output: ${JSON.stringify(join(folder, 'run'))},`,
    );
    const found = [...(await output(code)).matchAll(/^stage \d: ([\d.]+) ms$/gm)].map(([, ms]) => Number(ms));
    expect(found).toHaveLength(3);
    expect(Math.max(...found)).toBeLessThanOrEqual(4);
    expect(found[1]).toBeGreaterThan(found[0] ?? 0);
  }),
);

test("the library page's pure script runs without the addon and agrees with itself", async () => {
  expect(await output(example('docs/library.md', 'growGraph'))).toBe('true');
});

test('every JavaScript block is one that is run here', () => {
  expect(blocks('js')).toHaveLength(5);
});
