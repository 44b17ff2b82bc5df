// The page of --watch: a report whose policy lets it ask for its own newer version, and nothing else.

import { oneLine } from '../../statistics/format.js';
import { escapeHtml, html } from '../page/html.js';
import { SCRIPT } from '../page/script.js';
import { contentPolicy, policyElement, shell } from '../page/shell.js';

export interface Served {
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
export const LIVE_HEADERS = {
  'content-security-policy': contentPolicy([SCRIPT, LIVE], "; connect-src 'self'; frame-ancestors 'none'"),
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
} as const;

export function waitingPage(): Served {
  return { html: null, problem: null };
}

function waiting(): string {
  const lead = html`<p>The work has begun; its report comes with the first result.</p>`;
  return shell({ title: 'waiting', eyebrow: 'splitgrow', lead, body: html`` });
}

/** The report as it is served: `version` tells the page whether it is the newest. */
export function livePage({ html: report, problem }: Served, version: string): string {
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
