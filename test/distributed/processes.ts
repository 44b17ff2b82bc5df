// Several processes as ranks of one group, with environment variables alone.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const scriptOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** The variables of every rank but RANK. */
export async function meeting(world: number): Promise<Readonly<Record<string, string>>> {
  return {
    WORLD_SIZE: String(world),
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: String(await freePort()),
    SPLITGROW_RANK_TIMEOUT: '200',
  };
}

/** What one process of a script prints. */
function reportOf<T>(script: string, env: Readonly<Record<string, string>>): Promise<T> {
  const child = spawn(process.execPath, [scriptOf(script)], { env: { ...process.env, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      try {
        expect(code, stderr).toBe(0);
        resolve(JSON.parse(stdout) as T);
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** The reports of `world` ranks of a script, in order. */
export async function reportsOf<T>(
  world: number,
  script = 'rank.mjs',
  more: Readonly<Record<string, string>> = {},
): Promise<readonly T[]> {
  if (world === 1) return [await reportOf<T>(script, more)];
  const env = { ...more, ...(await meeting(world)), SECOND_PORT: String(await freePort()) };
  return Promise.all(
    Array.from({ length: world }, (_, rank) => reportOf<T>(script, { ...env, RANK: String(rank) })),
  );
}
