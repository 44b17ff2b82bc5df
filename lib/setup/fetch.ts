// The two child processes of setup: pip, which downloads wheels, and Python's zipfile, which unpacks them.
import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitgrowError } from '../errors.js';
import { REMEDIES, type Release } from './pinned.js';

type OnBytes = (done: number) => void;

interface Finished {
  readonly code: number;
  readonly errors: string;
}

const POLL_MS = 250;

/** Runs python3; an abort ends it. `onLine` gets each line of its standard output. */
function python(
  parameters: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly signal?: AbortSignal | undefined },
  onLine: (line: string) => void = () => {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', parameters, {
      env: options.env ?? process.env,
      signal: options.signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors = (errors + chunk).slice(-8_000);
    });
    let failure: Error | null = null;
    child.on('error', (error) => {
      failure = error;
      // A process that never started sends no 'close'.
      if (child.pid === undefined) reject(error);
    });
    // Only after 'close' has the process stopped writing.
    child.on('close', (code) => (failure ? reject(failure) : resolve({ code: code ?? 1, errors })));
  });
}

function failed(what: string, reason: string, remedy: string, cause?: unknown): SplitgrowError {
  return new SplitgrowError('E_LIBTORCH', `${what}: ${reason}; ${remedy}`, { cause });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Bytes of all files below a folder, as far as they can be read now. */
async function bytesBelow(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The last lines of pip's standard error, on one line. */
function lastWords(errors: string): string {
  const lines = errors
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('WARNING: Retrying'));
  return lines.slice(-2).join(' ').slice(0, 500) || 'no reason given';
}

/** Downloads the wheels of `release` into `wheels`; everything pip writes meanwhile stays below `work`. */
export async function pipDownload(
  release: Release,
  place: { readonly work: string; readonly wheels: string; readonly signal?: AbortSignal | undefined },
  onBytes: OnBytes,
): Promise<void> {
  const tag = `cp${release.python.replace('.', '')}`;
  const parameters = [
    ...[
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-input',
      '--no-deps',
      '--no-cache-dir',
      '--disable-pip-version-check',
    ],
    ...['--only-binary=:all:', '--python-version', release.python, '--implementation', 'cp', '--abi', tag],
    ...release.platforms.flatMap((platform) => ['--platform', platform]),
    ...['--dest', place.wheels],
    ...release.wheels.map((wheel) => wheel.requirement),
  ];
  const poll = setInterval(() => void bytesBelow(place.work).then(onBytes), POLL_MS);
  try {
    const { code, errors } = await python(parameters, {
      env: { ...process.env, TMPDIR: place.work },
      signal: place.signal,
    });
    if (code === 0) return;
    if (/No module named pip/.test(errors)) {
      throw failed(
        'pip is missing',
        'python3 has no module pip',
        'install it, for example: sudo apt-get install python3-pip',
      );
    }
    throw failed(
      'pip could not download LibTorch',
      lastWords(errors),
      `check the network and run: ${REMEDIES.setup}`,
    );
  } catch (error) {
    if (isMissing(error)) {
      throw failed(
        'python3 is missing',
        'it is not on PATH',
        'install it, for example: sudo apt-get install python3 python3-pip',
        error,
      );
    }
    throw error;
  } finally {
    clearInterval(poll);
  }
}

/** Arguments: target folder, then pairs of wheel and pattern. Prints the bytes written so far. */
const UNPACK = `
import os, re, sys, zipfile
target, pairs, done, told = sys.argv[1], sys.argv[2:], 0, 0
for wheel, pattern in zip(pairs[::2], pairs[1::2]):
    keep = re.compile(pattern)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.is_dir() or not keep.fullmatch(member.filename):
                continue
            path = os.path.join(target, member.filename)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(member) as source, open(path, 'xb') as sink:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)
                    done += len(chunk)
                    if done - told >= 1 << 22:
                        told = done
                        print(done, flush=True)
print(done, flush=True)
`;

/** Unpacks what the release keeps of each wheel; zipfile checks every member's CRC. */
export async function unpack(
  release: Release,
  place: { readonly wheels: string; readonly tree: string; readonly signal?: AbortSignal | undefined },
  onBytes: OnBytes,
): Promise<void> {
  const pairs = release.wheels.flatMap((wheel) => [join(place.wheels, wheel.file), wheel.keep.join('|')]);
  const { code, errors } = await python(
    ['-c', UNPACK, place.tree, ...pairs],
    { signal: place.signal },
    (line) => onBytes(Number(line)),
  );
  if (code !== 0) throw failed('LibTorch could not be unpacked', lastWords(errors), `run: ${REMEDIES.setup}`);
}

/**
 * Arguments: target folder, folder for downloads, then pairs of requirement and pattern. Reads single members out of
 * wheels by HTTP ranges, as pip does for metadata; where that fails, downloads the wheel.
 */
const MEMBERS = `
import glob, json, os, re, subprocess, sys, zipfile
pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check', '--no-input', '--quiet']
only = ['--no-deps', '--only-binary=:all:']

def ranged(requirement):
    from pip._internal.network.lazy_wheel import LazyZipOverHTTP
    from pip._internal.network.session import PipSession
    report = subprocess.run(
        [*pip, 'install', '--dry-run', '--ignore-installed', *only, '--report', '-', requirement],
        stdout=subprocess.PIPE, check=True)
    url = json.loads(report.stdout)['install'][0]['download_info']['url']
    return zipfile.ZipFile(LazyZipOverHTTP(url, PipSession()))

def whole(requirement, folder):
    subprocess.run([*pip, 'download', '--no-cache-dir', *only, '--dest', folder, requirement], check=True)
    return zipfile.ZipFile(glob.glob(os.path.join(folder, '*.whl'))[0])

def take(archive, pattern, target):
    for member in archive.infolist():
        if member.is_dir() or not pattern.fullmatch(member.filename):
            continue
        path = os.path.join(target, member.filename)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(member) as source, open(path, 'wb') as sink:
            sink.write(source.read())

target, downloads, pairs = sys.argv[1], sys.argv[2], sys.argv[3:]
for i in range(0, len(pairs), 2):
    pattern = re.compile(pairs[i + 1])
    try:
        take(ranged(pairs[i]), pattern, target)
    except Exception:
        take(whole(pairs[i], os.path.join(downloads, str(i))), pattern, target)
`;

/** Puts the members that `keep` (Python's expressions) names into `tree`, with little more than their own bytes. */
export async function pipMembers(
  wheels: readonly { readonly requirement: string; readonly keep: string }[],
  place: { readonly work: string; readonly tree: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const pairs = wheels.flatMap(({ requirement, keep }) => [requirement, keep]);
  const { code, errors } = await python(['-c', MEMBERS, place.tree, join(place.work, 'whole'), ...pairs], {
    env: { ...process.env, TMPDIR: place.work },
    signal: place.signal,
  });
  if (code !== 0) throw failed('pip could not read headers', lastWords(errors), 'check the network');
}
