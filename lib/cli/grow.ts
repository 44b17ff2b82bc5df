// splitgrow grow: Algorithm 1 by an experiment file, with its table, certificates and report.
import { dirname, join } from 'node:path';
import { grow } from '../api/grow.js';
import { readRanks } from '../machine/launchers.js';
import { deliveredText } from '../report/run/tables.js';
import { growingReport } from '../report/run/write.js';
import { readExperiment } from '../run/spec/spec.js';
import { bestDirectory } from '../run/store/best.js';
import { readRun } from '../run/store/read.js';
import type { SplitRecord, StageRecord, Summary } from '../run/store/records.js';
import { amount, percent, significant } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { EXPERIMENT_ARGUMENTS, EXPERIMENT_FLAGS, networksTable, overridesOf } from './experiments.js';
import { facts } from './table.js';
import { WATCH_FLAG, type Watched, withWatch } from './watch.js';

/** What the choice of a stage was allowed, what it used, and how far it is from the best. */
function certificateLine({ certificate, picks }: SplitRecord): string {
  const budgets = certificate.budgets.map(
    ({ cost, limit, after, usedShare }) =>
      `${cost} ${amount(after)} of ${amount(limit)} (${percent(usedShare)} of the growth used)`,
  );
  const bound =
    certificate.bound === null
      ? 'no LP bound'
      : `indices sum to ${significant(certificate.objective)}, LP bound ${significant(certificate.bound)}, gap ${percent(certificate.gap)}`;
  const without = certificate.boundWithout ?? [];
  const left = without.length > 0 ? [`the bound leaves out ${without.join(', ')}`] : [];
  return [`${picks.length} split`, ...budgets, bound, ...left].join('; ');
}

function certificates(stages: readonly StageRecord[]): readonly (readonly [string, string])[] {
  return stages.flatMap(({ stage, split }) =>
    split === null ? [] : [[`stage ${stage} to ${stage + 1}`, certificateLine(split)] as const],
  );
}

/** The folder to ship, and why. */
function shipped({ best, stages }: Summary): readonly (readonly [string, string])[] {
  const last = stages.at(-1);
  if (last === undefined) return [];
  if (best === undefined) return [['to ship', `${last.directory} (the grown network)`]];
  return [['to ship', `${bestDirectory(dirname(last.directory))} (${deliveredText(best)})`]];
}

/** What --watch serves; of several ranks only the first one does. */
async function watchedOf(
  { experiment, set }: { readonly experiment: string; readonly set: readonly string[] },
  port: number | undefined,
): Promise<Watched | null> {
  if (port === undefined || (readRanks()?.rank ?? 0) > 0) return null;
  const { output } = await readExperiment(experiment, set);
  return { directory: output, port, render: growingReport };
}

export const GROW = defineCommand({
  name: 'grow',
  isCollective: true,
  summary:
    'grows the network of an experiment file by energy-aware splitting (Algorithm 1); continues where it was stopped',
  hasStages: true,
  arguments: EXPERIMENT_ARGUMENTS,
  flags: { ...EXPERIMENT_FLAGS, watch: WATCH_FLAG },
  examples: [
    ['splitgrow grow experiments/demo.json', 'a whole run, with a table and an HTML report'],
    [
      'splitgrow grow experiments/demo.json --set splitting.strategy=vanilla --set output=runs/vanilla',
      'the same with another strategy',
    ],
    ['splitgrow grow experiments/demo.json --json > summary.json', 'the summary as JSON'],
    [
      'splitgrow grow experiments/demo.json --watch 8080',
      'with the growing report at http://127.0.0.1:8080/',
    ],
  ],
  run: async (values, context) => {
    const options = { experiment: values.experiment, set: overridesOf(values) };
    const watched = await watchedOf(options, values.watch);
    const document = await withWatch(watched, context, (control) => grow(options, control));
    return {
      document,
      text: async (style) => {
        const first = document.stages[0];
        const run = first === undefined ? null : await readRun(dirname(first.directory));
        return [
          networksTable(document, run?.compare?.rivals ?? document.compare ?? [], style),
          facts(
            [
              ...certificates(run?.stages ?? []),
              ...shipped(document),
              ...(run === null ? [] : [['report', join(run.directory, 'report.html')] as const]),
            ],
            style,
          ),
        ].join('\n\n');
      },
    };
  },
});
