// The growing report of --watch: rendered as the work goes on, served as a page that asks for its own newer version.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { paced } from '../../machine/paced.js';
import { oneLine } from '../../statistics/format.js';
import { escapeHtml, html } from '../page/html.js';
import { SCRIPT } from '../page/script.js';
import { contentPolicy, policyElement, shell } from '../page/shell.js';
import { HOST, mostConnections, refuse, serve, type Ways } from './server.js';

interface Served {
  /** Null until there is a report. */
  readonly html: string | null;
  /** Why the newest report could not be made. */
  readonly problem: string | null;
}

/** Takes the newer report's content when the server tells of one; scrolling and what is unfolded stay. */
const LIVE = `
(() => {
  'use strict';
  const source = new EventSource('/events');
  const words = (summary) => summary.textContent;
  source.addEventListener('message', async ({ data }) => {
    if (data === document.body.dataset.version) return;
    const answer = await fetch('/', { cache: 'no-store' });
    if (!answer.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const open = [...document.querySelectorAll('details[open] > summary')].map(words);
    document.title = next.title;
    document.querySelector('main').replaceWith(next.querySelector('main'));
    document.body.dataset.version = next.body.dataset.version;
    for (const summary of document.querySelectorAll('details > summary'))
      if (open.includes(words(summary))) summary.parentElement.open = true;
  });
  source.addEventListener('end', () => source.close());
})();
`;

/** Headers of everything that is served. */
const LIVE_HEADERS = {
  'content-security-policy': contentPolicy([SCRIPT, LIVE], "; connect-src 'self'; frame-ancestors 'none'"),
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
} as const;

function waitingPage(): Served {
  return { html: null, problem: null };
}

function waiting(): string {
  const lead = html`<p>The work has begun; its report comes with the first result.</p>`;
  return shell({ title: 'waiting', eyebrow: 'splitgrow', lead, body: html`` });
}

/** The report as it is served: `version` tells the page whether it is the newest. */
function livePage({ html: report, problem }: Served, version: string): string {
  const note =
    problem === null
      ? ''
      : `<p class="bad">The newest report cannot be made: ${escapeHtml(oneLine(problem))}</p>`;
  return (report ?? waiting())
    .replace(policyElement().html, '')
    .replace('<body>', `<body data-version="${version}">`)
    .replace('<main>', () => `<main>${note}`)
    .replace(/<\/body>(?![\s\S]*<\/body>)/, () => `<script>${LIVE}</script>\n</body>`);
}

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
