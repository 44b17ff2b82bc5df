// Atomic writes: the old content or the new, never something between, and nothing left behind.
import { execFile, execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { SplitgrowError } from '../../../lib/errors.js';
import { makeFolder, writeDirectoryAtomic, writeFileAtomic } from '../../../lib/machine/files/atomic.js';
import { failureOf, inFolder, ROOT } from '../../data/places.js';

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
    for (const text of ['1', '2'])
      await writeDirectoryAtomic(target, async (path) => {
        await mkdir(join(path, 'sub'));
        await writeFile(join(path, 'sub', 'a'), text);
      });
    expect(await readFile(join(target, 'sub', 'a'), 'utf8')).toBe('2');
    expect(await readdir(target)).toEqual(['sub']);
    expect(await readdir(folder)).toEqual(['net']);
  }));

test('a directory that holds anything else is not replaced, and the thing is named', () =>
  inFolder(async (folder) => {
    const target = join(folder, 'net');
    const fill = (path: string): Promise<void> => writeFile(join(path, 'a'), 'new');
    for (const other of ['b', 'sub/c', 'a/in-a-folder', 'link']) {
      await mkdir(join(target, other, '..'), { recursive: true });
      if (other === 'link') symlinkSync('/etc/passwd', join(target, 'a'));
      else await writeFile(join(target, other), 'mine');
      const named = other === 'link' ? 'a' : (other.split('/')[0] ?? '');
      expect(await failureOf(writeDirectoryAtomic(target, fill))).toMatch(
        new RegExp(`^E_WRITE: .*found "${named}" in it`),
      );
      expect(await readdir(folder)).toEqual(['net']);
      if (other !== 'link') expect(await readFile(join(target, other), 'utf8')).toBe('mine');
      rmSync(target, { recursive: true });
    }
    await mkdir(target);
    await writeFile(join(target, 'z'), 'of an earlier version');
    await writeDirectoryAtomic(target, fill, { ours: ['z'] });
    expect(await readdir(target)).toEqual(['a']);
  }));

test('a link to a directory stays, and what it leads to is replaced', () =>
  inFolder(async (folder) => {
    const [link, real] = [join(folder, 'link'), join(folder, 'real')];
    await mkdir(real);
    symlinkSync(real, link);
    await writeDirectoryAtomic(link, (path) => writeFile(join(path, 'a'), '1'));
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(await readdir(real)).toEqual(['a']);
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    expect(await failureOf(writeDirectoryAtomic(join(folder, 'dangling'), async () => {}))).toMatch(
      /^E_WRITE: /,
    );
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

test('a replacement cut off between its two renames is mended by the next writer', () =>
  inFolder(async (folder) => {
    const target = join(folder, 'net');
    await writeDirectoryAtomic(target, (path) => writeFile(join(path, 'a'), '1'));
    const script = `import { renameSync } from 'node:fs';
      import { writeDirectoryAtomic } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'machine', 'files', 'atomic.js')).href)};
      await writeDirectoryAtomic(${JSON.stringify(target)}, async (path) => {
        // As after the first rename: the old one lies in the job, and nothing is at its place.
        const { writeTarget } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'machine', 'files', 'place.js')).href)});
        await writeTarget(path + '/..', 'net');
        renameSync(${JSON.stringify(target)}, path + '/../old');
        process.kill(process.pid, 'SIGKILL');
      });`;
    await run(process.execPath, ['--input-type=module', '--eval', script]).catch(() => {});
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^\.splitgrow-/)]);
    await writeFileAtomic(join(folder, 'other'), '');
    expect(await readFile(join(target, 'a'), 'utf8')).toBe('1');
    expect((await readdir(folder)).sort()).toEqual(['net', 'other']);
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

test('files of others stay, whatever their names are', () =>
  inFolder(async (folder) => {
    const names = [
      '.x.tmp-999999999-dead',
      '.x.tmp',
      '.x.old',
      'x.part',
      '.splitgrow-x',
      `.splitgrow-${'0'.repeat(32)}`,
    ];
    for (const name of names) {
      await mkdir(join(folder, name));
      await writeFile(
        join(folder, name, 'owner.json'),
        JSON.stringify({ id: 'x', pid: 999_999_999, host: 'h' }),
      );
    }
    await writeFileAtomic(join(folder, 'x'), '1');
    await writeDirectoryAtomic(join(folder, 'y'), async () => {});
    expect((await readdir(folder)).sort()).toEqual([...names, 'x', 'y'].sort());
    for (const name of names) expect(await readdir(join(folder, name))).toEqual(['owner.json']);
  }));

test.each([
  ['/proc/splitgrow/x', /E_WRITE: .*\/proc/],
  ['/sys/splitgrow/x', /E_WRITE: .*\/sys/],
  ['/dev/null/x', /E_WRITE: .*\/dev\/null/],
])('%s is refused at once', async (path, message) => {
  expect(await failureOf(writeFileAtomic(path, 'x'))).toMatch(message);
  expect(await failureOf(makeFolder(path))).toMatch(message);
});

test('a folder is not made through a link that leads nowhere', () =>
  inFolder(async (folder) => {
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    expect(await failureOf(makeFolder(join(folder, 'link', 'x')))).toMatch(
      /E_WRITE: .*link that leads nowhere/,
    );
    expect(readdirSync(folder)).toEqual(['link']);
    await makeFolder(join(folder, 'a', 'b', 'c'));
    await makeFolder(join(folder, 'a', 'b', 'c'));
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['c']);
  }));

test('a write that runs out of room leaves the old file and no temporary one', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'x');
    await writeFile(file, 'old');
    // A limit on file size fails in the middle of the file, as a full disk does.
    const script = `import { writeFileAtomic } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'machine', 'files', 'atomic.js')).href)};
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
