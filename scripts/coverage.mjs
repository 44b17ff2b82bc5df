// npm run coverage [-- FILE...] [--record]: how much of lib/ the tests run; tables and lcov in build/coverage.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap } from './bootstrap.mjs';
import { machine, recordResult, today } from './record.mjs';
import { main, ROOT, run, StepError, say, tool } from './steps.mjs';

const KINDS = ['lines', 'statements', 'functions', 'branches'];

await main(async () => {
  const { values, positionals } = parseArgs({
    options: { record: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (values.record && positionals.length > 0)
    throw new StepError('only a run of all tests is recorded; leave out the files or --record');
  await bootstrap();
  // What is asked of a few files' tests says nothing about all of lib/.
  const thresholds = positionals.length > 0 ? KINDS.map((kind) => `--coverage.thresholds.${kind}=0`) : [];
  const { code } = await run(tool('vitest'), ['run', '--coverage', ...thresholds, ...positionals]);
  const { total } = JSON.parse(
    readFileSync(join(ROOT, 'build', 'coverage', 'coverage-summary.json'), 'utf8'),
  );
  const percent = Object.fromEntries(KINDS.map((kind) => [kind, total[kind].pct]));
  say(KINDS.map((kind) => `${kind} ${percent[kind]} %`).join(', '));
  if (values.record && code === 0)
    recordResult('coverage', () => ({
      what: 'of lib/, by the tests that run in their own process; commands and ranks in processes of theirs are not counted',
      date: today(),
      percent,
      machine: machine(),
    }));
  return code;
});
