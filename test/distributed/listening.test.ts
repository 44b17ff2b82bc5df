// At which addresses ranks listen, read from the kernel's tables: at those by which they meet, and at no other.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { start } from '../cli/command-line.js';
import { meeting } from './processes.js';
import { childrenOf, hasBegun, LONG, writeExperiment } from './runs.js';

/** An address of the tables, 4 or 16 bytes in groups of 4 with the last byte first, as numbers with points. IPv4 in IPv6 as IPv4. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((one) => Number.parseInt(one, 16)),
  );
  const isMapped = bytes.length === 16 && bytes.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
  return (isMapped ? bytes.slice(12) : bytes).join('.');
}

/** Addresses at which a process accepts connections; state 0A of /proc/net/tcp is LISTEN. */
function listenersOf(pid: number): readonly string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // It has been closed meanwhile.
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => cells[3] === '0A' && sockets.has(cells[9] ?? ''))
      .map((cells) => addressOf((cells[1] ?? '').split(':')[0] ?? '')),
  );
}

/** An address of this machine that others could reach. */
const OUTER = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

test('the tables are read: a server of this process is found', async () => {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    expect(listenersOf(process.pid)).toContain('127.0.0.1');
  } finally {
    server.close();
  }
});

test('ranks of launch listen at 127.0.0.1 alone', async () => {
  const { folder, file } = await writeExperiment(LONG);
  const { child, ended } = start(['launch', '--processes', '2', '--', 'grow', file], { TMPDIR: folder });
  await hasBegun(folder);
  const found = childrenOf(child.pid).map(listenersOf);
  child.kill('SIGTERM');
  await ended;
  // The store and Gloo's of rank 0, Gloo's of rank 1.
  expect(found.map(({ length }) => length > 0)).toEqual([true, true]);
  expect(new Set(found.flat())).toEqual(new Set(['127.0.0.1']));
});

const MEETINGS: readonly (readonly [string, string])[] = [
  ['localhost', '127.0.0.1'],
  ...(OUTER === undefined ? [] : [[OUTER, OUTER] as const]),
];
test.each(MEETINGS)('ranks that meet at %s listen at %s alone', async (host, address) => {
  const { folder, file } = await writeExperiment(LONG);
  const env = { ...(await meeting(2)), TMPDIR: folder, MASTER_ADDR: host };
  const ranks = [0, 1].map((rank) => start(['grow', file], { ...env, RANK: String(rank) }));
  await hasBegun(folder);
  const found = ranks.map(({ child }) => listenersOf(child.pid ?? 0));
  for (const { child } of ranks) child.kill('SIGTERM');
  for (const { ended } of ranks) await ended;
  expect(found.map(({ length }) => length > 0)).toEqual([true, true]);
  expect(new Set(found.flat())).toEqual(new Set([address]));
});

test('the interface that GLOO_SOCKET_IFNAME names comes first', async () => {
  const { folder, file } = await writeExperiment(LONG);
  const env = {
    ...(await meeting(2)),
    TMPDIR: folder,
    MASTER_ADDR: OUTER ?? '127.0.0.1',
    GLOO_SOCKET_IFNAME: 'lo',
  };
  const ranks = [0, 1].map((rank) => start(['grow', file], { ...env, RANK: String(rank) }));
  await hasBegun(folder);
  const [store, gloo] = ranks.map(({ child }) => listenersOf(child.pid ?? 0));
  for (const { child } of ranks) child.kill('SIGTERM');
  for (const { ended } of ranks) await ended;
  expect(new Set(store)).toEqual(new Set([OUTER ?? '127.0.0.1', '127.0.0.1']));
  expect(gloo).toEqual(['127.0.0.1']);
});

test('a port of the store that is taken is told at once', async () => {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const { file } = await writeExperiment(1);
    const env = { ...(await meeting(2)), MASTER_PORT: String(port), RANK: '0' };
    const { code, stderr } = await start(['train', file], env).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^splitgrow: E_DISTRIBUTED: .*127\.0\.0\.1:\d+.*Address already in use; set MASTER_PORT/m,
    );
  } finally {
    server.close();
  }
});
