// Whether every symbol that the CUDA library takes from elsewhere is there, which its linker was not asked.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { run } from '../process/run.js';

/** What the loader has opened before the library, or opens with it; the rest are the compiler's and the system's. */
const TORCH = ['libtorch_cuda.so', 'libc10_cuda.so', 'libtorch_cpu.so', 'libc10.so'];
const SYSTEM = ['libstdc++.so.6', 'libgcc_s.so.1', 'libc.so.6', 'libm.so.6', 'libgomp.so.1'];

/** nm's lines are longer than what run() keeps of all output, so they are read as they come. */
async function symbols(path: string, which: 'defined' | 'undefined'): Promise<readonly string[]> {
  let lines = '';
  const { code, said } = await run('nm', ['-D', `--${which}-only`, path], {
    onOutput: (text) => {
      lines += text;
    },
  });
  if (code !== 0)
    throw new SplitgrowError('E_BUILD', `nm cannot read the symbols of ${path}: ${said.trim()}`);
  return lines
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.length >= 2 && !(which === 'undefined' && words[0] !== 'U'))
    .map((words) => (words.at(-1) ?? '').replace(/@.*/, ''));
}

/** The C++ compiler's path of a system library. */
async function systemPath(name: string): Promise<string> {
  const { output } = await run(process.env.CXX || 'c++', [`-print-file-name=${name}`]);
  return output.trim();
}

function cudaRuntime(root: string): string | undefined {
  const folder = join(dirname(root), 'nvidia', 'cu13', 'lib');
  const name = existsSync(folder)
    ? readdirSync(folder).find((file) => /^libcudart\.so\.\d+$/.test(file))
    : undefined;
  return name && join(folder, name);
}

/**
 * Symbols of `library` that neither LibTorch in `root`, the CUDA run time nor the system has; null where this
 * LibTorch has no CUDA part, so that nothing can be said. Weak ones may be missing.
 */
export async function missingSymbols(library: string, root: string): Promise<readonly string[] | null> {
  const torch = TORCH.map((name) => join(root, 'lib', name));
  const runtime = cudaRuntime(root);
  if (!torch.every((path) => existsSync(path)) || runtime === undefined) return null;
  const system = (await Promise.all(SYSTEM.map(systemPath))).filter((path) => existsSync(path));
  const defined = new Set<string>();
  for (const path of [...torch, runtime, ...system])
    for (const name of await symbols(path, 'defined')) defined.add(name);
  return (await symbols(library, 'undefined')).filter((name) => !defined.has(name));
}
