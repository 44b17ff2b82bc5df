// The headless Chromium of the tests: where it is found, and a page that remembers what went wrong in it.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

/** How long a page may take for anything. */
const PATIENCE_MS = 300_000;

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'] as const;

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** CHROMIUM, or the first of the usual names on PATH; null where there is none. */
export function findChromium(): string | null {
  const named = process.env.CHROMIUM;
  if (named !== undefined && named !== '') return isProgram(named) ? named : null;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram) ?? null;
}

export function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

/** What the page copies lands in `copied`. */
const KEEP_COPIES = `Object.defineProperty(navigator, 'clipboard', {
  value: { writeText: async (text) => { globalThis.copied = text; } },
});`;

export interface Opened {
  readonly page: Page;
  /** Script errors, console errors, blocked or failed requests, and every request that is none of a file. */
  readonly complaints: readonly string[];
}

export interface Look {
  readonly width: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly javaScriptEnabled?: boolean;
}

/** Opens a file in a context of its own. */
export async function openFile(
  browser: Browser,
  file: string,
  { width, colorScheme = 'light', javaScriptEnabled = true }: Look,
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width, height: 844 },
    ...{ colorScheme, javaScriptEnabled },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`console: ${message.text()}`);
  });
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(`request: ${request.url()}`);
  });
  await page.addInitScript(KEEP_COPIES);
  await page.goto(pathToFileURL(file).href);
  return { page, complaints };
}
