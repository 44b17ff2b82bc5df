// Atomic writes: the old content or the new, never something between, and nothing left behind.
import { execFile, execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, symlinkSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { recoverDirectory, writeDirectoryAtomic, writeFileAtomic } from '../lib/atomic.js';
import { SplitgrowError } from '../lib/errors.js';
import { failureOf, inFolder, ROOT } from './data/places.js';

const run = promisify(execFile);

test('a file is written, and replaced, with nothing beside it', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'deep', 'er', 'x.txt');
    await writeFileAtomic(file, 'one');
    await writeFileAtomic(file, [Buffer.from('tw'), Buffer.from(''), Buffer.from('o')]);
    expect(await readFile(file, 'utf8')).toBe('two');
    expect(await readdir(join(folder, 'deep', 'er'))).toEqual(['x.txt']);
  }));

test('a directory is written, and replaced as a whole', () =>
  inFolder(async (folder) => {
    const target = join(folder, 'net');
    await writeDirectoryAtomic(target, async (path) => {
      await mkdir(join(path, 'sub'));
      await writeFile(join(path, 'sub', 'a'), '1');
    });
    await writeDirectoryAtomic(target, (path) => writeFile(join(path, 'b'), '2'));
    expect(await readdir(target)).toEqual(['b']);
    expect(await readdir(folder)).toEqual(['net']);
  }));

test('when filling fails, the old directory stays and nothing is left', () =>
  inFolder(async (folder) => {
    const target = join(folder, 'net');
    await writeDirectoryAtomic(target, (path) => writeFile(join(path, 'a'), '1'));
    const failure = failureOf(
      writeDirectoryAtomic(target, async (path) => {
        await writeFile(join(path, 'a'), '2');
        throw new SplitgrowError('E_NOT_FINITE', 'a weight is NaN');
      }),
    );
    expect(await failure).toBe('E_NOT_FINITE: a weight is NaN');
    expect(await readFile(join(target, 'a'), 'utf8')).toBe('1');
    expect(await readdir(folder)).toEqual(['net']);
  }));

test('a replacement cut off between its two renames is mended', () =>
  inFolder(async (folder) => {
    const target = join(folder, 'net');
    await writeDirectoryAtomic(target, (path) => writeFile(join(path, 'a'), '1'));
    await rename(target, join(folder, '.net.old'));
    await recoverDirectory(target);
    expect(await readFile(join(target, 'a'), 'utf8')).toBe('1');
    expect(await readdir(folder)).toEqual(['net']);
  }));

test('a path through a file, and a file in the way of a directory, are E_WRITE', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'file'), 'x');
    expect(await failureOf(writeFileAtomic(join(folder, 'file', 'y'), 'z'))).toMatch(
      /^E_WRITE: cannot write/,
    );
    expect(await failureOf(writeDirectoryAtomic(join(folder, 'file'), async () => {}))).toMatch(/^E_WRITE: /);
    expect(await failureOf(writeFileAtomic(folder, 'z'))).toMatch(/^E_WRITE: /);
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('x');
    expect(await readdir(folder)).toEqual(['file']);
  }));

test('temporary files of dead processes are removed, those of living ones stay', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, '.x.tmp-999999999-dead'), '');
    await writeFile(join(folder, `.x.tmp-${process.ppid}-alive`), '');
    await writeFileAtomic(join(folder, 'x'), '1');
    expect((await readdir(folder)).sort()).toEqual([`.x.tmp-${process.ppid}-alive`, 'x']);
  }));

test('a write that runs out of room leaves the old file and no temporary one', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'x');
    await writeFile(file, 'old');
    // A limit on file size fails in the middle of the file, as a full disk does.
    const script = `import { writeFileAtomic } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'atomic.js')).href)};
      await writeFileAtomic(${JSON.stringify(file)}, new Uint8Array(1e6)).catch((e) => console.log(e.code + ': ' + e.message));`;
    const shell = 'ulimit -f 100; exec "$0" --input-type=module --eval "$1"';
    const { stdout } = await run('bash', ['-c', shell, process.execPath, script]);
    expect(stdout).toMatch(/^E_WRITE: cannot write .*EFBIG/);
    expect(await readFile(file, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['x']);
  }));

test('a reader that looks all the time sees whole files only', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'x');
    const contents = ['a'.repeat(300_000), 'b'.repeat(200_000)];
    await writeFileAtomic(file, contents[0] ?? '');
    let isDone = false;
    const reader = (async () => {
      while (!isDone) expect(contents).toContain(await readFile(file, 'utf8'));
    })();
    for (let k = 0; k < 20; k += 1) await writeFileAtomic(file, contents[k % 2] ?? '');
    isDone = true;
    await reader;
  }));

test('a pipe, and a link to a device, are refused and stay what they are', () =>
  inFolder(async (folder) => {
    const [pipe, link] = [join(folder, 'pipe'), join(folder, 'link')];
    execFileSync('mkfifo', [pipe]);
    symlinkSync('/dev/null', link);
    for (const path of [pipe, link])
      expect(await failureOf(writeFileAtomic(path, 'x'))).toMatch(/^E_WRITE: .*found a pipe or device/);
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['link', 'pipe']);
  }));
