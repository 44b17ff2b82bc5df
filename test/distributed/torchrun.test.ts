// torchrun, where it is found: killed ranks start anew, and the run goes on.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MAIN } from '../cli/command-line.js';
import { childrenOf, hasBegun, writeExperiment } from './runs.js';

/** A Python with torch.distributed.run (SPLITGROW_PYTORCH, else python3), or null. */
function pythonWithTorchrun(): string | null {
  for (const python of [process.env.SPLITGROW_PYTORCH ?? [], 'python3'].flat()) {
    try {
      const probe =
        'import importlib.util as u; raise SystemExit(u.find_spec("torch.distributed.run") is None)';
      execFileSync(python, ['-c', probe], { stdio: 'ignore', timeout: 600_000 });
      return python;
    } catch {
      // The next one.
    }
  }
  return null;
}

function runFile(
  file: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly child: ChildProcess; readonly ended: Promise<{ code: number | null; stderr: string }> } {
  const child = spawn(file, [...words], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stderr }));
  });
  return { child, ended };
}

const python = pythonWithTorchrun();
test.skipIf(python === null)(
  'torchrun starts killed ranks anew, and the run goes on (skipped without Python with torch.distributed.run)',
  async () => {
    const { folder, file } = await writeExperiment(30);
    const env = { ...process.env, TMPDIR: folder, OMP_NUM_THREADS: '1' };
    const torchrun = ['-m', 'torch.distributed.run', '--no-python', '--standalone'];
    const options = ['--nproc-per-node', '2', '--max-restarts', '2', '--monitor-interval', '0.2'];
    const words = [process.execPath, MAIN, 'train', file];
    const { child, ended } = runFile(python ?? '', [...torchrun, ...options, ...words], env);
    await hasBegun(folder);
    const ranks = childrenOf(child.pid).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('main.js'),
    );
    expect(ranks).toHaveLength(2);
    process.kill(ranks[1] ?? 0, 'SIGKILL');
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/continues after epoch [1-9]/);
    const lines = readFileSync(join(folder, 'run', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const epochs = lines.map((line) => JSON.parse(line) as { type: string; epoch?: number });
    expect(epochs.filter(({ type }) => type === 'epoch')).toHaveLength(30);
  },
);
