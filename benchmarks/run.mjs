// npm run bench: steps and selection, their result files, and the tables of results/README.md; `loader`, `busy`, `graph`, `engine`, `eigen`, `phase`, `precision`, `recipes`, `growth`: that benchmark alone.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap } from '../scripts/bootstrap.mjs';
import { main } from '../scripts/steps.mjs';

const INTRODUCTION = `# Results

Written by \`npm run bench\`; what is compared and how stands in [the page above](../README.md).
Do not edit: the next run replaces this page.`;

/** Benchmarks with a page of their own, by file and function. */
const ALONE = ['loader', 'busy', 'graph', 'engine', 'eigen', 'phase', 'precision', 'recipes', 'growth'];

await main(async () => {
  await bootstrap();
  // Compiled by now.
  const [name, ...words] = process.argv.slice(2);
  if (ALONE.includes(name)) {
    const { [name]: measure } = await import(`./${name}.mjs`);
    process.stdout.write(await measure(words));
    return;
  }
  const { RESULTS, say } = await import('./common.mjs');
  const { STEPS_OPTIONS, steps, stepsOptions } = await import('./steps.mjs');
  const { stepsMarkdown } = await import('./steps-table.mjs');
  const { selection, selectionMarkdown } = await import('./selection.mjs');
  const { values } = parseArgs({ options: STEPS_OPTIONS });
  const options = stepsOptions(values);
  const parts = [
    INTRODUCTION,
    selectionMarkdown(await selection({ date: options.date, isKept: options.isKept })),
    stepsMarkdown(await steps(options)),
  ];
  const text = `${parts.join('\n\n')}\n`;
  if (options.isKept) {
    await writeFile(join(RESULTS, 'README.md'), text);
    say(`written: ${join(RESULTS, 'README.md')}`);
  }
  process.stdout.write(text);
});
