// A signal in the middle of a calculation: commands that leave nothing to save end there, runs save their checkpoint first.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../data/places.js';
import { errorLine, splitgrow, start, temporaryFolder } from './command-line.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const IN_THE_MIDDLE =
  'splitgrow: E_ABORTED: stopped in the middle of a calculation; every file that is there is whole\n';

/** JavaScript that computes for so much CPU time, waits for so long as for a disk, and does not let the event loop turn. */
const BLOCKING = `
  const compute = (ms) => {
    const spent = () => process.cpuUsage().user + process.cpuUsage().system;
    const from = spent();
    while (spent() - from < 1000 * ms);
  };
  const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
`;

/** The environment in which a command runs `script` first. */
function before(script: string): NodeJS.ProcessEnv {
  const source = `import { writeSync } from 'node:fs';${BLOCKING}${script}`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
}

/** Calculates for ever once the command listens for signals. */
const FOR_EVER = before(`
  process.on('newListener', (name) => {
    if (name !== 'SIGUSR1') return;
    queueMicrotask(() => {
      writeSync(1, 'busy');
      for (;;);
    });
  });
`);

const NO_FILE = '/nowhere/file';

test.each([
  ['SIGTERM', 143, ['show', 'mobilenet_cifar10']],
  ['SIGINT', 130, ['cost', '--network', 'mobilenet_cifar10', '--json']],
  ['SIGUSR1', 138, ['export', '--network', NO_FILE, '--debug']],
  ['SIGTERM', 143, ['indices', '--network', NO_FILE, '--batch', NO_FILE]],
  [
    'SIGTERM',
    143,
    [
      ...['split', '--network', NO_FILE, '--plan', NO_FILE, '--directions', NO_FILE],
      ...['--epsilon', '0', '--out', NO_FILE],
    ],
  ],
  ['SIGTERM', 143, ['eval', '--network', NO_FILE, '--data', 'cifar10']],
  ['SIGTERM', 143, ['predict', '--network', NO_FILE, NO_FILE]],
  [
    'SIGTERM',
    143,
    ['import', ...['--weights', NO_FILE, '--from', 'torchvision', '--preset', 'resnet50', '--out', NO_FILE]],
  ],
] as const)('%s ends with exit code %i what never listens: splitgrow %j', async (signal, code, words) => {
  const { child, ended } = start(words, FOR_EVER);
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdout?.once('data', () => child.kill(signal));
  expect(await ended).toEqual({ code, signal: null, stdout: 'busy', stderr: IN_THE_MIDDLE });
});

test('nobody reads standard error: it ends all the same', async () => {
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), 'show', 'mobilenet_cifar10'], {
    env: {
      ...process.env,
      ...before(`
        process.on('newListener', (name) => {
          if (name !== 'SIGUSR1') return;
          queueMicrotask(() => {
            try {
              for (;;) writeSync(2, 'x'.repeat(4096));
            } catch {}
            process.stderr._handle.setBlocking(true);
            writeSync(1, 'full');
            for (;;);
          });
        });
        // Until it is full a write fails instead of waiting.
        process.stderr._handle.setBlocking(false);
      `),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stderr.pause();
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([143, null]);
});

test('SIGTERM ends a command that reads a network of 10,000 nodes', async () => {
  const folder = temporaryFolder();
  const layers = Array.from({ length: 9998 }, (_, i) => ({
    ...{ id: `n${i}`, op: 'conv2d', inputs: [i === 0 ? 'input' : `n${i - 1}`] },
    ...{ out: 2, kernel: 1, bias: true },
  }));
  const graph = {
    ...{ format: 'splitgrow-network/1', name: 'long', input: { shape: [2, 4, 4] } },
    nodes: [
      ...layers,
      { id: 'pool', op: 'global_avg_pool', inputs: ['n9997'] },
      { id: 'out', op: 'linear', inputs: ['pool'], out: 2 },
    ],
    output: 'out',
  };
  writeFileSync(join(folder, 'network.json'), JSON.stringify(graph));
  const env = before(`
    const { parse } = JSON;
    JSON.parse = (text, ...more) => {
      if (text.length > 100_000) process.kill(process.pid, 'SIGTERM');
      return parse(text, ...more);
    };
  `);
  const result = await splitgrow(['show', folder], env);
  expect({ ...result, stderr: errorLine(result)?.code }).toEqual({
    ...{ code: 143, signal: null, stdout: '', stderr: 'E_ABORTED' },
  });
});

/** Epochs in the newest checkpoint of stage 0; half an epoch more where it is of the middle of one, 0 where there is none. */
function newest(output: string): number {
  if (!existsSync(output)) return 0;
  const found = readdirSync(output).map((name) => /^checkpoint-0-(\d+)(-fit-\d+)?$/.exec(name));
  return Math.max(0, ...found.map((match) => Number(match?.[1] ?? 0) + (match?.[2] === undefined ? 0 : 0.5)));
}

test('a run that is busy, and waits for a slow disk, ends with its checkpoint', async () => {
  const folder = temporaryFolder();
  const output = join(folder, 'run');
  const experiment = {
    ...{ name: 'busy', network: { preset: 'mobilenet_cifar10', blocks: 3, width: 4 } },
    data: { name: 'fashion-mnist', augment: [], trainImages: 256, testImages: 100 },
    fit: { epochs: 100_000, batch: 64, schedule: { kind: 'constant' } },
    ...{ splitting: { method: 'exact', epsilon: 'line-search', images: 64 }, stop: { stages: 0 } },
    ...{ output, threads: 1 },
  };
  writeFileSync(join(folder, 'busy.json'), JSON.stringify(experiment));
  const env = before(`
    process.on('SIGTERM', () => {
      compute(1500);
      wait(1500);
      compute(1500);
      writeSync(1, 'went on');
    });
  `);
  const { child, ended } = start(['grow', join(folder, 'busy.json')], env);
  while (newest(output) === 0 && child.exitCode === null) await pause(20);
  const atSignal = newest(output);
  child.kill('SIGTERM');
  const { code, signal, stdout, stderr } = await ended;
  expect({ code, signal, stdout }).toEqual({ code: 143, signal: null, stdout: 'went on' });
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^splitgrow: E_ABORTED: /);
  expect(newest(output)).toBeGreaterThan(atSignal);
});

/** Listens as a command does, and does what `work` says; it ends with its standard input. */
async function listening(work: string) {
  const module = pathToFileURL(join(ROOT, 'dist', 'cli', 'signals.js')).href;
  const program = `${BLOCKING}
    import { writeSync } from 'node:fs';
    const { listenForSignals } = await import(${JSON.stringify(module)});
    const signals = listenForSignals(() => writeSync(1, 'heard '), { endsAnywhere: true });
    process.stdin.on('end', () => {
      signals.stop();
      process.exit(signals.exitCode() ?? 0);
    });
    process.stdin.resume();
    writeSync(1, 'ready ');
    ${work}
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  let wrong = '';
  let wake = (): void => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    wrong += text;
  });
  const closed = once(child, 'close');
  void closed.then(() => wake());
  const until = async (word: string): Promise<void> => {
    while (!said.includes(word)) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended: ${said}${wrong}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const ended = async () => {
    const [code, signal] = await closed;
    return { code, signal, said, wrong };
  };
  await until('ready');
  return { child, until, ended };
}

test('a process that is stopped does not end, before it has heard a signal or after', async () => {
  const { child, until, ended } = await listening('');
  child.kill('SIGSTOP');
  child.kill('SIGTERM');
  await pause(1500);
  child.kill('SIGCONT');
  await until('heard');
  child.kill('SIGSTOP');
  await pause(1500);
  child.kill('SIGCONT');
  child.stdin.end();
  expect(await ended()).toEqual({ code: 143, signal: null, said: 'ready heard ', wrong: '' });
});

test('a process that waits, as for a disk, does not end', async () => {
  const { child, until, ended } = await listening('wait(3000);');
  child.kill('SIGTERM');
  await until('heard');
  child.stdin.end();
  expect(await ended()).toEqual({ code: 143, signal: null, said: 'ready heard ', wrong: '' });
});

test('a calculation after the signal was heard is ended too', async () => {
  const { child, ended } = await listening(
    "signals.signal.addEventListener('abort', () => setTimeout(() => { for (;;); }, 300));",
  );
  child.kill('SIGINT');
  expect(await ended()).toEqual({ code: 130, signal: null, said: 'ready heard ', wrong: IN_THE_MIDDLE });
});

test('a calculation in pieces, between which the event loop turns, does not end', async () => {
  const { child, until, ended } = await listening(`
    const again = (left) => {
      compute(200);
      if (left > 0) setImmediate(again, left - 1);
      else writeSync(1, 'done ');
    };
    signals.signal.addEventListener('abort', () => again(15));
  `);
  child.kill('SIGTERM');
  await until('done');
  child.stdin.end();
  expect(await ended()).toEqual({ code: 143, signal: null, said: 'ready heard done ', wrong: '' });
});

test('without a signal, and after the listening, a calculation goes on', async () => {
  const { child, until, ended } = await listening(`
    compute(1500);
    signals.stop();
    const another = new Promise((done) => process.once('SIGTERM', done)).then(() => writeSync(1, 'another '));
    writeSync(1, 'stopped ');
    compute(1500);
    await another;
    const again = listenForSignals(() => writeSync(1, 'again '), { endsAnywhere: true });
    writeSync(1, 'anew ');
    for (;;);
  `);
  await until('stopped');
  child.kill('SIGTERM');
  await until('anew');
  child.kill('SIGTERM');
  expect(await ended()).toEqual({
    ...{ code: 143, signal: null, said: 'ready stopped another anew ', wrong: IN_THE_MIDDLE },
  });
});

test('without an addon a command runs as before', async () => {
  const { ended } = start(['show', 'mobilenet_cifar10'], { SPLITGROW_ADDON: '/nowhere' });
  const { code, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
