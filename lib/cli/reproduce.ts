// splitgrow reproduce: a figure or table of the paper by its id.

import {
  figureDirectory,
  listFigures,
  planReproduction,
  type ReproduceDocument,
  type ReproduceOptions,
  reproduce,
  reproductionError,
} from '../api/reproduce.js';
import { SplitgrowError } from '../errors.js';
import type { FigureEvent } from '../figure/run.js';
import type { Outcome } from '../figure/schedule.js';
import { figureReport } from '../report/figure/write.js';
import { clock, integer as grouped } from '../statistics/format.js';
import { type Context, defineCommand } from './command.js';
import { EXPERIMENT_FLAGS } from './experiments.js';
import { choice, integer, text, toggle, withDefault } from './flags.js';
import type { Meter } from './progress.js';
import { figureText, listText, planText } from './reproduce-tables.js';
import { WATCH_FLAG, whileServed } from './watch.js';

type FigureProgress = Extract<FigureEvent, { readonly type: 'progress' }>;

/** "3 of 12 runs, 2 at work  5,120 images/s  1:20 left" */
function describeProgress({ runs, ended, running, imagesPerSecond, secondsLeft }: FigureProgress): string {
  return [
    `${ended} of ${runs} runs${running > 0 ? `, ${running} at work` : ''}`,
    imagesPerSecond > 0 ? `${grouped(imagesPerSecond)} images/s` : '',
    Number.isFinite(secondsLeft) ? `${clock(secondsLeft)} left` : '',
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function endOf(outcome: Outcome): string {
  if (outcome.kind === 'done') return 'done';
  if (outcome.kind === 'skipped') return 'not begun, because its seed network failed';
  return `failed: ${outcome.error instanceof Error ? outcome.error.message : String(outcome.error)}`;
}

/** A listener that shows a figure's events on `meter`. */
export function showFigureOn(meter: Meter): (event: FigureEvent) => void {
  return (event) => {
    if (event.type === 'progress') meter.show(event.fraction, describeProgress(event));
    else if (event.type === 'written') return;
    else if (event.type === 'ended') {
      meter.note(`${event.run}: ${endOf(event.outcome)}`);
    } else if (event.event.type === 'note') {
      meter.note(`${event.run}: stage ${event.event.stage}  ${event.event.text}`);
    }
  };
}

/** Reproduces with the events on the meter, and with the report served where there is a port for it. */
async function reproduceOn(
  options: ReproduceOptions,
  port: number | undefined,
  { control: { signal }, meter }: Context,
): Promise<ReproduceDocument> {
  const show = showFigureOn(meter);
  if (port === undefined) return reproduce(options, { signal, onEvent: show });
  const watched = { directory: figureDirectory(options), port, render: figureReport };
  return whileServed(watched, meter, (update) =>
    reproduce(options, {
      signal,
      onEvent: (event) => {
        show(event);
        if (event.type === 'written') update();
      },
    }),
  );
}

export const REPRODUCE = defineCommand({
  name: 'reproduce',
  summary:
    'runs what a figure or table of the paper needs, and makes its report; continues where it was stopped',
  arguments: { id: text('ID', 'figure or table: see --list') },
  flags: {
    scale: withDefault(
      choice(
        ['smoke', 'cpu', 'paper', 'plan'],
        'how much of it; plan prints MACs and schedules and runs nothing',
      ),
      'cpu',
    ),
    seeds: integer('N', "seeds 0 to N - 1 (default: the scale's)", { min: 1, max: 1000 }),
    jobs: integer('N', 'runs side by side (default: as many as there are cores for)', { min: 1, max: 1024 }),
    out: text('DIR', 'folder of the runs and reports (default: runs/reproduce)'),
    dataRoot: text('DIR', 'folder that holds cifar10, cifar100 ... (default: where data get puts them)'),
    experiments: text('DIR', 'folder of the figures (default: those that come with splitgrow)'),
    list: toggle('lists the figures and tables'),
    ...EXPERIMENT_FLAGS,
    watch: WATCH_FLAG,
  },
  examples: [
    ['splitgrow reproduce --list', 'what can be reproduced'],
    [
      'splitgrow reproduce fig3 --scale smoke',
      'the whole way in seconds, on images that ship with splitgrow',
    ],
    ['splitgrow reproduce fig3 --scale cpu --seeds 2', 'hours on a CPU; run it again to go on'],
    ['splitgrow reproduce fig3 --watch 8080', 'with the growing report at http://127.0.0.1:8080/'],
    ['splitgrow reproduce table1 --scale plan', "MACs and schedules beside the paper's, without running"],
  ],
  run: async ({ id, scale, list, watch, json: _json, debug: _debug, ...options }, context) => {
    const { experiments, seeds, set } = options;
    if (watch !== undefined && (list || scale === 'plan')) {
      throw new SplitgrowError(
        'E_USAGE',
        `--watch: expected a scale that runs something, found ${list ? '--list' : '--scale plan'}; leave one of them out`,
      );
    }
    if (list) {
      const document = await listFigures(experiments);
      return { document, text: (style) => listText(document, style) };
    }
    if (id === undefined) {
      throw new SplitgrowError(
        'E_USAGE',
        'expected the id of a figure, found none; see splitgrow reproduce --list',
      );
    }
    if (scale === 'plan') {
      const document = await planReproduction({ id, experiments, seeds, set });
      return { document, text: (style) => planText(document, style) };
    }
    const document = await reproduceOn({ ...options, id, scale }, watch, context);
    return {
      document,
      text: (style) => figureText(document, style),
      error: reproductionError(document),
    };
  },
});
