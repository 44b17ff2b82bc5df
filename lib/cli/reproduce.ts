// splitgrow reproduce: a figure or table of the paper by its id.

import { figureDirectory, reproductionError } from '../api/reproduce.js';
import { listFigures, planReproduction, reproduce } from '../api.js';
import { SplitgrowError } from '../errors.js';
import { figureReport } from '../figure/report.js';
import type { FigureEvent } from '../figure/run.js';
import { defineCommand } from './command.js';
import { EXPERIMENT_FLAGS } from './experiments.js';
import { choice, integer, text, toggle, withDefault } from './flags.js';
import type { Meter } from './meter.js';
import { showFigureOn } from './reproduce-progress.js';
import { figureText, listText, planText } from './reproduce-tables.js';
import { WATCH_FLAG, watchReport } from './watch.js';

/** Does the work with its events on the meter, and with its report served where a port is given. */
async function watched<T>(
  directory: string,
  port: number | undefined,
  meter: Meter,
  work: (onEvent: (event: FigureEvent) => void) => Promise<T>,
): Promise<T> {
  const show = showFigureOn(meter);
  if (port === undefined) return work(show);
  const watch = await watchReport(directory, figureReport, port);
  meter.note(`the growing report is at ${watch.url}`);
  let hasFigure = false;
  try {
    return await work((event) => {
      show(event);
      if (event.type === 'written') hasFigure = true;
      const isNews = event.type === 'written' || (event.type === 'run' && event.event.type === 'note');
      if (hasFigure && isNews) watch.update();
    });
  } finally {
    await watch.close();
  }
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
    list: toggle('the figures and tables there are'),
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
  run: async ({ id, scale, list, watch, json: _json, debug: _debug, ...options }, { control, meter }) => {
    const { experiments, seeds, set } = options;
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
    const given = { ...options, id, scale };
    const document = await watched(figureDirectory(given), watch, meter, (onEvent) =>
      reproduce(given, { signal: control.signal, onEvent }),
    );
    return {
      document,
      text: (style) => figureText(document, style),
      error: reproductionError(document),
    };
  },
});
