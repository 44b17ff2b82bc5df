// Made-up wheels, a release that pins them, and an index of pip's that serves them and misbehaves on demand.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { Release } from '../../../lib/machine/libtorch/pinned.js';

type Env = Record<string, string | undefined>;

/** Bytes that do not compress, so that a wheel is as large as what is in it. */
function noise(bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  let state = 12345;
  for (let i = 0; i < bytes; i += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    out[i] = state >>> 16;
  }
  return out;
}

const ZIP = `
import os, sys, zipfile
target, folder = sys.argv[1:]
with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as archive:
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            archive.write(path, os.path.relpath(path, folder))`;

const CONTENTS: Readonly<Record<string, Readonly<Record<string, string | Buffer>>>> = {
  'torch-2.11.0-cp312-cp312-manylinux_2_17_x86_64.whl': {
    'torch/version.py': "__version__ = '2.11.0+cu130'\ncuda: str = '13.0'\n",
    'torch/lib/libtorch_cpu.so': noise(3_000_000),
    'torch/lib/libc10.so': 'c10',
    'torch/lib/libtorch_python.so': 'not kept',
    'torch/include/torch/script.h': '// header\n',
    'torch/__init__.py': '# not kept\n',
    'torch-2.11.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: torch\nVersion: 2.11.0\n',
    'torch-2.11.0.dist-info/WHEEL': 'Wheel-Version: 1.0\n',
  },
  'nvidia_made_up-1.0-py3-none-any.whl': {
    'nvidia_made_up-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: nvidia-made-up\nVersion: 1.0\n',
    'nvidia_made_up-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\n',
    'nvidia/cu13/lib/libcudart.so.13': noise(1_000_000),
    'nvidia/cu13/include/not-kept.h': '',
  },
};

const KEEP: Readonly<Record<string, readonly string[]>> = {
  torch: [String.raw`torch/lib/lib(torch_cpu|c10)\.so`, 'torch/include/.*', String.raw`torch/version\.py`],
  'nvidia-made-up': ['nvidia/cu13/lib/.*'],
};

export interface MadeUp {
  /** Holds the wheels: a find-links folder. */
  readonly folder: string;
  readonly release: Release;
}

/** The wheels below `folder`, with true sizes and hashes. */
export async function madeUpRelease(folder: string): Promise<MadeUp> {
  const wheels = [];
  const shelf = join(folder, 'wheels');
  await mkdir(shelf, { recursive: true });
  for (const [file, members] of Object.entries(CONTENTS)) {
    const content = join(folder, 'content', file);
    for (const [name, data] of Object.entries(members)) {
      await mkdir(join(content, name, '..'), { recursive: true });
      await writeFile(join(content, name), data);
    }
    execFileSync('python3', ['-c', ZIP, join(shelf, file), content]);
    const bytes = await readFile(join(shelf, file));
    const [name = '', version = ''] = file.split('-');
    wheels.push({
      requirement: `${name.replaceAll('_', '-')}==${version}`,
      file,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      keep: KEEP[name.replaceAll('_', '-')] ?? [],
    });
  }
  const release = { unpackedBytes: 4_000_100, wheels };
  return { folder: shelf, release };
}

/** Folder of the real python3, so that no version manager's script is asked again and again. */
const PYTHON = dirname(
  execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim(),
);

/** This process's environment without settings of pip, proxies and other LibTorches, and with a cache of its own. */
export function cleanEnv(folder: string, more: Env = {}): Env {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PIP_|LIBTORCH$|SPLITGROW_|PYTHONPATH$)|_proxy$/i.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    PIP_CONFIG_FILE: '/dev/null',
    PATH: `${PYTHON}:${process.env.PATH}`,
    SPLITGROW_CACHE: join(folder, 'cache'),
    ...more,
  };
}

/** Settings of pip for which the folder is all there is. */
export function offline(folder: string): Env {
  return { PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder };
}

export interface Asked {
  readonly url: string;
  /** The Range header, '' where there was none. */
  readonly range: string;
}

export interface Index {
  readonly url: string;
  /** Every request, in order. */
  readonly asked: readonly Asked[];
  /** Those for files, as `<name of the file> <Range>`. */
  readonly files: () => readonly string[];
  /** From now on files end after so many bytes: the connection is cut, once a file, or stays silent. */
  readonly limit: (after: number, how: 'cut' | 'stall') => void;
  readonly unlimit: () => void;
  readonly close: () => void;
}

/** pip's index on this machine, of the wheels in `folder`. As a proxy it serves any host. */
export async function serveIndex(folder: string): Promise<Index> {
  const asked: Asked[] = [];
  const cut = new Set<string>();
  let limited: { readonly after: number; readonly how: 'cut' | 'stall' } | null = null;
  const file = async (name: string, range: string, response: ServerResponse): Promise<void> => {
    const whole = await readFile(join(folder, name));
    const start = Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
    const body = whole.subarray(start);
    response.writeHead(range === '' ? 200 : 206, {
      'Content-Length': body.length,
      'Content-Type': 'application/octet-stream',
      'Accept-Ranges': 'bytes',
      ...(range === '' ? {} : { 'Content-Range': `bytes ${start}-${whole.length - 1}/${whole.length}` }),
    });
    if (limited === null || body.length <= limited.after || (limited.how === 'cut' && cut.has(name))) {
      response.end(body);
      return;
    }
    cut.add(name);
    const { after, how } = limited;
    response.write(body.subarray(0, after), () => {
      // All that was written arrives, and then the connection is over.
      if (how === 'cut') response.socket?.end();
    });
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const range = request.headers.range ?? '';
    asked.push({ url: request.url ?? '', range });
    const name = basename(pathname);
    if (pathname.startsWith('/files/')) {
      file(name, range, response).catch(() => response.writeHead(404).end());
      return;
    }
    const links = Object.keys(CONTENTS)
      .filter((wheel) => wheel.split('-')[0]?.replaceAll('_', '-') === name)
      .map((wheel) => `<a href="/files/${wheel}">${wheel}</a>`);
    response.writeHead(links.length > 0 ? 200 : 404, { 'Content-Type': 'text/html' });
    response.end(`<!DOCTYPE html><html><body>${links.join('\n')}</body></html>`);
  };
  const server: Server = createServer(listener);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/simple/`,
    asked,
    files: () =>
      asked
        .filter(({ url }) => url.includes('/files/'))
        .map(({ url, range }) => `${basename(url).split('-')[0]} ${range}`.trim()),
    limit: (after, how) => {
      limited = { after, how };
    },
    unlimit: () => {
      limited = null;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
