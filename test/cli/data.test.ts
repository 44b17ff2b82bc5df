// splitgrow data: what it prints, its exit codes, and progress with rate and time left.
import { existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { showData } from '../../lib/cli/data-get.js';
import { sendFile, serve } from '../data/get/server.js';
import { dataFolder } from '../data/places.js';
import { errorLine, splitgrow, start, temporaryFolder } from './command-line.js';

test('progress tells file, amount, rate of the last seconds and time left; notes stay', () => {
  const lines: string[] = [];
  let now = 0;
  const show = showData(
    {
      show: (fraction, text) => lines.push(`${Math.round(100 * fraction)}% ${text}`),
      note: (text) => lines.push(text),
      stop: () => undefined,
    },
    () => now,
  );
  const at = (seconds: number, done: number, message = 'a.gz'): void => {
    now = 1000 * seconds;
    show({ phase: 'download', message, done, total: 100 * 2 ** 20 });
  };
  at(0, 0);
  at(10, 20 * 2 ** 20);
  // 1 MiB a second after 2 MiB a second: the first 20 MiB are too long ago.
  at(20, 30 * 2 ** 20);
  at(21, 5 * 2 ** 20, 'b.gz');
  show({ phase: 'note', message: 'a.gz: broke; trying again', done: 0, total: 0 });
  show({ phase: 'unpack', message: 'folder', done: 1, total: 4 });
  expect(lines).toEqual([
    '0% downloading a.gz  0 B of 100.0 MiB',
    '20% downloading a.gz  20.0 MiB of 100.0 MiB  2.0 MiB/s  0:40 left',
    '30% downloading a.gz  30.0 MiB of 100.0 MiB  1.0 MiB/s  1:10 left',
    '5% downloading b.gz  5.0 MiB of 100.0 MiB',
    'a.gz: broke; trying again',
    '25% unpacking folder  1 B of 4 B',
  ]);
});

const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  SPLITGROW_DATA: temporaryFolder(),
  SPLITGROW_DATA_MIRROR: '',
  ...more,
});

test('data list names every dataset and the command that fetches it', async () => {
  const setting = env();
  const { code, stdout, stderr } = await splitgrow(['data', 'list', '--json'], setting);
  expect([code, stderr]).toEqual([0, '']);
  const document = JSON.parse(stdout) as { directory: string; datasets: { name: string; remedy: string }[] };
  expect(document.directory).toBe(setting.SPLITGROW_DATA);
  expect(document.datasets.map(({ name, remedy }) => [name, remedy])).toEqual(
    ['fashion-mnist', 'cifar10', 'cifar100'].map((name) => [name, `splitgrow data get ${name}`]),
  );
});

test.each([
  [
    ['data'],
    /^expected a command: data get, data list, data index, data pack, data verify, data bench; see splitgrow data --help$/,
  ],
  [['data', 'gte', 'cifar10'], /did you mean get\? See splitgrow data --help$/],
  [['data', 'get'], /missing required argument.*see splitgrow data get --help$/],
  [['data', 'get', 'mnist'], /expected one of fashion-mnist, cifar10, cifar100, got "mnist"$/],
  [['data', 'get', 'cifar10', '--mirro', 'x'], /did you mean --mirror\? See splitgrow data get --help$/],
])('splitgrow %j is E_USAGE', async (words, reason) => {
  const ended = await splitgrow(words, env());
  expect([ended.code, errorLine(ended)?.code]).toEqual([2, 'E_USAGE']);
  expect(errorLine(ended)?.text).toMatch(reason);
});

test('a server without the file is E_DOWNLOAD on one line, exit code 1', async () => {
  const local = await serve((_, response) => response.writeHead(404).end());
  const setting = env();
  const ended = await splitgrow(['data', 'get', 'cifar10', '--mirror', local.url], setting);
  expect([ended.code, ended.stdout, errorLine(ended)?.code]).toEqual([1, '', 'E_DOWNLOAD']);
  expect(errorLine(ended)?.text).toContain(
    `put cifar-10-binary.tar.gz (170052171 bytes, MD5 c32a1d4ab5d03f1284b67883e8d87530) into ${join(setting.SPLITGROW_DATA ?? '', 'cifar10')} by hand`,
  );
  expect(local.seen.map(({ url }) => url)).toEqual([
    '/cifar-10-binary.tar.gz',
    '/cifar10/cifar-10-binary.tar.gz',
  ]);
});

test('Ctrl-C ends a download with code 130 and keeps what came', async () => {
  const local = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 170_052_171 });
    response.write(Buffer.alloc(1000));
  });
  const setting = env();
  const root = join(setting.SPLITGROW_DATA ?? '', 'cifar10');
  const part = join(root, '.splitgrow-cifar-10-binary.tar.gz.part');
  const running = start(['data', 'get', 'cifar10', '--mirror', local.url], setting);
  const isThere = (): boolean => existsSync(part) && statSync(part).size === 1000;
  while (running.child.exitCode === null && !isThere()) await sleep(20);
  running.child.kill('SIGINT');
  const ended = await running.ended;
  expect([ended.code, errorLine(ended)?.code]).toEqual([130, 'E_ABORTED']);
  expect(await readdir(root)).toEqual(['.splitgrow-cifar-10-binary.tar.gz.part']);
  expect((await readFile(part)).byteLength).toBe(1000);
});

const fashion = dataFolder('fashion-mnist');
test.skipIf(fashion.reason !== '')(
  `fashion-mnist comes from a mirror, and again nothing is done${fashion.reason}`,
  async () => {
    const local = await serve((request, response) => {
      void readFile(join(fashion.folder, request.url?.slice(1) ?? '')).then((bytes) =>
        sendFile(request, response, bytes),
      );
    });
    const setting = env({ SPLITGROW_DATA_MIRROR: local.url });
    const words = ['data', 'get', 'fashion-mnist', '--json'];
    const first = await splitgrow(words, setting);
    expect([first.code, first.stderr]).toEqual([0, '']);
    const document = JSON.parse(first.stdout) as { files: { bytes: number; status: string }[] };
    expect(document.files.map(({ bytes, status }) => [bytes, status])).toEqual(
      [26_421_880, 29_515, 4_422_102, 5_148].map((bytes) => [bytes, 'downloaded']),
    );
    const again = await splitgrow(words.slice(0, 3), setting);
    expect(again.stdout).toMatch(/there already, checksums right; nothing done/);
    expect(again.stdout).toContain('"data": {"name":"fashion-mnist","whole":true}');
    expect(local.seen).toHaveLength(4);
  },
);
