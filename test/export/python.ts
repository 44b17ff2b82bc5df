// Pythons for the tests of exported files: one with onnx, onnxruntime and Pillow, fetched once into the cache; one with PyTorch, where there is one.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../../lib/machine/libtorch/cache.js';

/** What checks the models and all that it needs, and nothing newer by surprise. */
const PACKAGES = [
  'onnx==1.23.2',
  'onnxruntime==1.32.0',
  'numpy==2.2.6',
  'protobuf==7.36.2',
  'flatbuffers==25.12.19',
  'packaging==26.3',
  'ml_dtypes==0.6.0',
  'typing_extensions==4.16.0',
  'pillow==13.0.0',
];
const PIP_TIMEOUT_MS = 1_100_000;

export interface Python {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
  /** Why there is none; '' where there is one. */
  readonly reason: string;
}

function imports(command: string, env: NodeJS.ProcessEnv, modules: readonly string[]): boolean {
  const { status } = spawnSync(command, ['-c', `import ${modules.join(', ')}`], { env, stdio: 'ignore' });
  return status === 0;
}

/** python3 with the pinned packages on its path, installed into the cache at the first use. */
export function onnxPython(): Python {
  const cache = cacheDirectory();
  const target = join(cache, `test-${PACKAGES.join('-').replaceAll('==', '-')}`);
  const env = { ...process.env, PYTHONPATH: target };
  if (!existsSync(target)) {
    mkdirSync(cache, { recursive: true });
    const work = mkdtempSync(join(cache, '.test-python-'));
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'];
    try {
      execFileSync('python3', [...pip, '--only-binary=:all:', '--target', join(work, 'tree'), ...PACKAGES], {
        timeout: PIP_TIMEOUT_MS,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      renameSync(join(work, 'tree'), target);
    } catch (error) {
      const words = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
      if (!existsSync(target)) return { command: 'python3', env, reason: ` (pip: ${words?.slice(0, 200)})` };
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const isUsable = imports('python3', env, ['onnx', 'onnxruntime']);
  return { command: 'python3', env, reason: isUsable ? '' : ' (onnx does not load in python3)' };
}

/** SPLITGROW_PYTORCH, else python3, where it has torch and safetensors. */
export function torchPython(): Python {
  const command = process.env.SPLITGROW_PYTORCH ?? 'python3';
  const isUsable = imports(command, process.env, ['torch', 'safetensors']);
  return { command, env: process.env, reason: isUsable ? '' : ' (no Python with torch and safetensors)' };
}
