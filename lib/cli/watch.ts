// --watch: the growing report, served on this machine alone while the work runs.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { SplitgrowError } from '../errors.js';
import { paced } from '../machine/paced.js';
import { firstOfPhase, type RunControl, type RunEvent } from '../native/events.js';
import { LIVE_HEADERS, livePage, waitingPage } from '../report/live/page.js';
import { HOST, mostConnections, refuse, serve, type Ways } from '../report/live/server.js';
import type { Context } from './command.js';
import { type Flag, integer, withAlone } from './flags.js';
import type { Meter } from './meter.js';

/** Share of the connections that pages which listen may take. */
const LISTENING = 2 / 3;
/** A render that took t is followed by a pause of t times this: it takes no more than a fifth of the time. */
const PAUSE = 4;
/** Milliseconds that open pages have to take the last report. */
const GRACE = 2_000;

export interface Watch {
  readonly url: string;
  /** Something was finished: the report is rendered again, soon, and open pages show it. */
  readonly update: () => void;
  /** Renders a last time, lets open pages take that, and closes. */
  readonly close: () => Promise<void>;
}

export type Render = (directory: string) => Promise<string>;

/**
 * Serves what `render` makes of `directory` on 127.0.0.1, at `/` and nowhere else; nothing is read from disk for a request.
 * Requests by another host name are refused, so that no foreign page reaches it by rebinding a name of its own.
 * @throws E_PORT where the port cannot be served on; 0 takes a free one
 */
export async function watchReport(directory: string, render: Render, port: number): Promise<Watch> {
  const run = randomUUID();
  let page = waitingPage();
  let version = 0;
  let taken = 0;
  let hasBegun = false;
  const listeners = new Set<ServerResponse>();
  const name = (): string => `${run}-${version}`;

  const renderOnce = async (): Promise<void> => {
    const made = await render(directory).then(
      (html) => ({ html, problem: null }),
      (error: unknown) => ({ html: null, problem: error instanceof Error ? error.message : String(error) }),
    );
    page = made.html === null ? { ...page, problem: made.problem } : made;
    version += 1;
    taken = 0;
    for (const listener of listeners) listener.write(`data: ${name()}\n\n`);
  };
  const renders = paced(renderOnce, PAUSE);

  const mostListeners = Math.floor(mostConnections() * LISTENING);
  const ways: Ways = {
    '/': (response) => {
      response.writeHead(200, { ...LIVE_HEADERS, 'content-type': 'text/html; charset=utf-8' });
      response.end(livePage(page, name()), () => {
        taken += 1;
      });
    },
    '/events': (response) => {
      if (listeners.size >= mostListeners) return refuse(response, 503, 'too many pages listen already');
      response.setTimeout(0);
      response.writeHead(200, { ...LIVE_HEADERS, 'content-type': 'text/event-stream' });
      response.write(`retry: 2000\ndata: ${name()}\n\n`);
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
    },
  };
  const server = await serve(ways, port);

  /** Until every listening page has the last report, or the grace is over. */
  const settle = async (): Promise<void> => {
    const [wanted, end] = [listeners.size, performance.now() + GRACE];
    while (taken < Math.min(wanted, listeners.size) && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  return {
    url: `http://${HOST}:${server.port}/`,
    update: () => {
      hasBegun = true;
      renders.request();
    },
    close: async () => {
      await renders.stop();
      if (hasBegun) {
        await renderOnce();
        await settle();
      }
      for (const listener of listeners) listener.end('event: end\ndata: \n\n');
      await server.close();
    },
  };
}

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
