// --watch: what is served, to whom, how it is renewed, and that it ends with the work.
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { withWatch } from '../../lib/cli/watch.js';
import type { RunControl, RunEvent } from '../../lib/native/events.js';
import { mostConnections } from '../../lib/report/live/server.js';
import { type Watch, watchReport } from '../../lib/report/live/watch.js';
import { html } from '../../lib/report/page/html.js';
import { shell } from '../../lib/report/page/shell.js';
import { findChromium, startChromium } from '../figure/browser.js';
import { ask, type Listening, listenTo } from './ask.js';
import { type Ended, errorLine, splitgrow, start, startLimited, temporaryFolder } from './command-line.js';

function pageOf(words: string): string {
  return shell({ title: words, eyebrow: '', lead: html`<p>${words}</p>`, body: html`` });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The address that a command with --watch prints. */
function addressOf(child: ChildProcess, ended: Promise<Ended>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.on('data', (part: string) => {
      text += part;
      const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(text);
      if (found !== null) resolve(found[0]);
    });
    void ended.then(({ stderr }) => reject(new Error(stderr)));
  });
}

async function watching(render: () => Promise<string>): Promise<Watch> {
  const watch = await watchReport('/nowhere', render, 0);
  onTestFinished(() => watch.close());
  return watch;
}

test('serves a page that waits, then what is rendered, and tells listeners of it', async () => {
  let round = 0;
  const watch = await watching(async () => pageOf(`round ${round}`));
  expect(watch.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  expect((await ask(watch.url)).text).toContain('<h1>waiting</h1>');
  const { next } = await listenTo(watch.url);
  const first = await next();
  round = 1;
  watch.update();
  const second = await next();
  expect(second).not.toBe(first);
  const { text, headers } = await ask(watch.url);
  expect(text).toContain('<h1>round 1</h1>');
  expect(text).toContain(`data-version="${second}"`);
  expect(headers['cache-control']).toBe('no-store');
});

test('serves a page that may ask for its newer version alone', async () => {
  const watch = await watching(async () => pageOf('x'));
  const { text, headers } = await ask(watch.url);
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("connect-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/script-src [^;]*unsafe/);
  expect(text).not.toContain('http-equiv');
  expect(text.match(/<script>/g)).toHaveLength(2);
});

test('keeps the last report where a newer one cannot be made, and says why', async () => {
  let isTorn = false;
  const watch = await watching(async () => {
    if (isTorn) throw new Error('stage.json: expected <JSON>');
    return pageOf('whole');
  });
  const { next } = await listenTo(watch.url);
  await next();
  watch.update();
  await next();
  isTorn = true;
  watch.update();
  await next();
  const { text } = await ask(watch.url);
  expect(text).toContain('<h1>whole</h1>');
  expect(text).toContain('expected &lt;JSON&gt;');
});

describe('refuses', () => {
  test('a busy port, with E_PORT', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise((resolve) => other.close(() => resolve())));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(watchReport('/nowhere', async () => '', port)).rejects.toMatchObject({
      code: 'E_PORT',
      message: expect.stringContaining(`--watch ${port}`),
    });
  });

  test.each([
    '/x',
    '//',
    '/../etc/passwd',
    '/%2e%2e/',
    '/?x',
    '/events/',
    '/report.html',
    'http://127.0.0.1/',
  ])('the path %s', async (path) => {
    const watch = await watching(async () => pageOf('x'));
    expect((await ask(watch.url, { path })).status).toBe(404);
  });

  test.each(['evil.example', 'evil.example:PORT', '127.0.0.1', '127.0.0.1:1', 'localhost.evil.example:PORT'])(
    'the host %s',
    async (name) => {
      const watch = await watching(async () => pageOf('secret'));
      const host = name.replace('PORT', new URL(watch.url).port);
      for (const path of ['/', '/events']) {
        const { status, text } = await ask(watch.url, { host, path });
        expect(status).toBe(403);
        expect(text).not.toContain('secret');
      }
      const own = `localhost:${new URL(watch.url).port}`;
      expect((await ask(watch.url, { host: own })).status).toBe(200);
    },
  );

  test('everything but GET', async () => {
    const watch = await watching(async () => pageOf('x'));
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])
      expect((await ask(watch.url, { method })).status).toBe(405);
  });

  test('more listeners than it has places for', async () => {
    const watch = await watching(async () => pageOf('x'));
    await Promise.all(Array.from({ length: 32 }, () => listenTo(watch.url)));
    expect((await ask(watch.url, { path: '/events' })).status).toBe(503);
  });
});

/** Connections that send this much of a request and then nothing; resolves once `count` are open or were refused. */
async function halfOpen(url: string, count: number, text: string): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: count }, () => connect(Number(port), hostname));
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.on('error', () => resolve()).once('close', () => resolve());
          socket.once('connect', () => socket.write(text, () => resolve()));
        }),
    ),
  );
  return sockets;
}

describe('half-open connections', () => {
  test('are few: a share of the files that the process may open', () => {
    expect([64, 100, 1024, 1_048_576].map(mostConnections)).toEqual([8, 12, 48, 48]);
  });

  test.each([
    ['of nothing', ''],
    ['of half a request', 'GET / HTTP/1.1\r\nHost: 127.0.0.1'],
  ])('%s are kept up to a limit, and not for ever: then the page is served again', async (_, text) => {
    const watch = await watching(async () => pageOf('still here'));
    const sockets = await halfOpen(watch.url, 200, text);
    const isOpen = (socket: Socket): boolean => socket.readyState === 'open';
    while (sockets.filter(isOpen).length > mostConnections()) await pause(20);
    // Each is closed by its time limit, without a word from us.
    while (sockets.some(isOpen)) await pause(50);
    watch.update();
    expect((await ask(watch.url)).status).toBe(200);
  });

  test('do not reach a run that may open few files', async () => {
    const output = join(temporaryFolder(), 'run');
    const set = [
      ...['data.trainImages=256', 'data.testImages=64', 'splitting.images=64', 'fit.epochs=20', 'compare=[]'],
      ...['fit.batch=64', 'stop={"stages":1}', 'threads=1', `output=${output}`],
    ].flatMap((one) => ['--set', one]);
    const words = ['grow', 'experiments/demo.json', ...set, '--json', '--watch'];
    const { child, ended } = startLimited(words, 160);
    const url = await addressOf(child, ended);
    const attacks = [1, 2, 3].map(() => halfOpen(url, 400, 'GET / HTTP/1.1\r\n'));
    await Promise.all(attacks);
    const { code, stderr, stdout } = await ended;
    expect(code, stderr).toBe(0);
    expect(stderr).not.toMatch(/EMFILE/);
    expect(JSON.parse(stdout)).toMatchObject({ stages: [{ stage: 0 }, { stage: 1 }] });
  });
});

test('a listener that has gone, a broken request and a page that cannot be made end nothing', async () => {
  const watch = await watching(async () => pageOf('x'));
  const { hostname, port } = new URL(watch.url);
  for (const text of [
    'NONSENSE\r\n\r\n',
    `GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}`,
  ]) {
    const socket = connect(Number(port), hostname);
    const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
    socket.write(text);
    await closed;
  }
  const listener = connect(Number(port), hostname);
  listener.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  await new Promise((resolve) => listener.once('data', resolve));
  listener.resetAndDestroy();
  for (let round = 0; round < 20; round += 1) watch.update();
  expect((await ask(watch.url)).status).toBe(200);
});

describe('around work', () => {
  const note = (phase: RunEvent['phase']): RunEvent => ({ type: 'note', stage: 0, phase, text: '' });

  async function around(work: (control: RunControl, url: string) => Promise<void>): Promise<number> {
    let rendered = 0;
    const notes: string[] = [];
    const meter = { show: () => undefined, stop: () => undefined, note: (text: string) => notes.push(text) };
    const render = async () => {
      rendered += 1;
      return pageOf(`rendered ${rendered}`);
    };
    let url = '';
    const done = withWatch({ directory: '/nowhere', port: 0, render }, { control: {}, meter }, (control) => {
      url = /http:\S+/.exec(notes.join())?.[0] ?? '';
      return work(control, url);
    });
    await done.catch(() => undefined);
    await expect(ask(url)).rejects.toThrow();
    return rendered;
  }

  test('it renders again after a line, shows the last state to those who listen, and closes', async () => {
    let listening: Listening | undefined;
    const rendered = await around(async (control, url) => {
      listening = await listenTo(url);
      await listening.next();
      control.onEvent?.(note('fit'));
      await listening.next();
    });
    expect(rendered).toBe(2);
    expect(await listening?.next()).toMatch(/-2$/);
    expect(await listening?.next()).toBe('end');
    await listening?.isOver;
  });

  test('it closes too where the work fails, and renders nothing of a folder that the work did not begin in', async () => {
    const rendered = await around(async (control) => {
      control.onEvent?.(note('load'));
      throw new Error('refused');
    });
    expect(rendered).toBe(0);
  });
});

const CHROMIUM = findChromium();
test.skipIf(CHROMIUM === null)(
  'an open page takes the newer report, keeps what is unfolded, and stays when the server ends',
  async () => {
    let round = 0;
    const body = html`<details><summary>more</summary><p>words</p></details>`;
    const watch = await watching(async () =>
      shell({ title: `round ${round}`, eyebrow: '', lead: html``, body }),
    );
    watch.update();
    const browser = await startChromium(CHROMIUM ?? '');
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(300_000);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(watch.url);
    await page.getByText('round 0').waitFor();
    await page.locator('summary').click();
    round = 1;
    watch.update();
    await page.getByRole('heading', { name: 'round 1' }).waitFor();
    expect(await page.locator('details').getAttribute('open')).not.toBeNull();
    round = 2;
    await watch.close();
    await page.getByRole('heading', { name: 'round 2' }).waitFor();
    expect(await page.title()).toBe('round 2 · splitgrow');
    expect(errors).toEqual([]);
  },
);

test('grow --watch serves its run while it lasts', async () => {
  const output = join(temporaryFolder(), 'run');
  const experiment = JSON.parse(readFileSync('experiments/demo.json', 'utf8')) as { name: string };
  const set = [
    'data.trainImages=256',
    'data.testImages=64',
    'splitting.images=64',
    'fit.epochs=2',
    'fit.batch=64',
    'stop={"stages":1}',
    'threads=1',
    `output=${output}`,
  ].flatMap((one) => ['--set', one]);
  const { child, ended } = start(['grow', 'experiments/demo.json', ...set, '--json', '--watch']);
  const url = await addressOf(child, ended);
  const { next, isOver } = await listenTo(url);
  await next();
  await next();
  const { status, text } = await ask(url);
  expect(status).toBe(200);
  expect(text).toContain(`<h1>${experiment.name}</h1>`);
  await isOver;
  const { code, stdout } = await ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ stages: [{ stage: 0 }, { stage: 1 }] });
  await expect(ask(url)).rejects.toThrow();
});

test('a --watch without a port that swallows the experiment is told of', async () => {
  const ended = await splitgrow(['grow', '--watch', 'experiments/demo.json']);
  expect(ended.code).toBe(2);
  expect(errorLine(ended)).toMatchObject({ code: 'E_USAGE', text: expect.stringContaining('comes last') });
});
