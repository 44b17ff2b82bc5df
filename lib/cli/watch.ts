// --watch: the growing report, served on this machine alone while the work runs.
import { SplitgrowError } from '../errors.js';
import { firstOfPhase, type RunControl, type RunEvent } from '../native/events.js';
import { type Render, watchReport } from '../report/live/watch.js';
import type { Context } from './command.js';
import { type Flag, integer, withAlone } from './flags.js';
import type { Meter } from './progress.js';

const PORT = integer(
  'PORT',
  'serves the growing report on 127.0.0.1 while it runs; without PORT on a free one',
  {
    min: 0,
    max: 65_535,
  },
);

/** --watch [PORT] */
export const WATCH_FLAG: Flag<number | undefined> = withAlone(
  {
    ...PORT,
    parse: (given, name, previous) => {
      try {
        return PORT.parse(given, name, previous);
      } catch (error) {
        if (!(error instanceof SplitgrowError)) throw error;
        throw new SplitgrowError(error.code, `${error.message}; a --watch without a port comes last`);
      }
    },
  },
  0,
);

export interface Watched {
  readonly directory: string;
  readonly port: number;
  readonly render: Render;
}

/** True for events after which the report may have changed: a line, or the first of another phase. */
function newsOf(): (event: RunEvent) => boolean {
  const isFirst = firstOfPhase();
  return (event) => {
    const isOther = isFirst(event);
    return event.phase !== 'load' && (event.type === 'note' || isOther);
  };
}

/** Does `work` with its report served, and tells the address on standard error; `update` has it rendered again, soon. */
export async function whileServed<T>(
  { directory, render, port }: Watched,
  meter: Meter,
  work: (update: () => void) => Promise<T>,
): Promise<T> {
  // A hundred files are open at once while these load: before connections take some of those that the process may open.
  await Promise.all([import('vega'), import('vega-lite')]);
  const watch = await watchReport(directory, render, port);
  meter.note(`the growing report is at ${watch.url}`);
  try {
    return await work(watch.update);
  } finally {
    await watch.close();
  }
}

/** Does a run's `work` with its report served, where `watched` says so. */
export async function withWatch<T>(
  watched: Watched | null,
  { control, meter }: Pick<Context, 'control' | 'meter'>,
  work: (control: RunControl) => Promise<T>,
): Promise<T> {
  if (watched === null) return work(control);
  const isNews = newsOf();
  return whileServed(watched, meter, (update) =>
    work({
      ...control,
      onEvent: (event) => {
        control.onEvent?.(event);
        if (isNews(event)) update();
      },
    }),
  );
}
