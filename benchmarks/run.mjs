// npm run bench: steps and selection, their result files, and the tables of results/README.md; `loader`, `busy`: that benchmark alone.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap } from '../scripts/bootstrap.mjs';
import { main } from '../scripts/steps.mjs';

const INTRODUCTION = `# Results

Written by \`npm run bench\`; what is compared and how stands in [the page above](../README.md).
Do not edit: the next run replaces this page.`;

await main(async () => {
  await bootstrap();
  // Compiled by now.
  if (process.argv[2] === 'loader') {
    const { loader } = await import('./loader.mjs');
    process.stdout.write(await loader(process.argv.slice(3)));
    return;
  }
  if (process.argv[2] === 'busy') {
    const { busy } = await import('./busy.mjs');
    process.stdout.write(await busy(process.argv.slice(3)));
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
