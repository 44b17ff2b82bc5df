// The frame of every report's page: one file that fetches nothing, with a content security policy that forbids it.
import { type Html, html, trusted } from './html.js';
import { SCRIPT, scriptSource } from './script.js';
import { STYLE } from './style.js';

interface ShellParts {
  readonly title: string;
  /** Small words above the heading. */
  readonly eyebrow: string;
  readonly lead: Html;
  readonly body: Html;
}

/** Nothing is fetched, and no script runs but the page's own and those named. */
export function contentPolicy(scripts: readonly string[], more = ''): string {
  const sources = scripts.map(scriptSource).join(' ');
  return `default-src 'none'; style-src 'unsafe-inline'; script-src ${sources}; base-uri 'none'; form-action 'none'${more}`;
}

/** The policy as it stands in the page. */
export function policyElement(): Html {
  return html`<meta http-equiv="Content-Security-Policy" content="${trusted(contentPolicy([SCRIPT]))}">`;
}

export function shell({ title, eyebrow, lead, body }: ShellParts): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="splitgrow">
${policyElement()}
<title>${title} · splitgrow</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<header>
<div class="eyebrow">${eyebrow}</div>
<h1>${title}</h1>
${lead}
</header>
${body}
</main>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.html;
}
