// `splitgrow grow` on real images: table, certificates, report, JSON, signals.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Summary } from '../../lib/run/store/records.js';
import { errorLine, splitgrow, start, temporaryFolder } from './command-line.js';

function experimentFile(folder: string, change: Record<string, unknown> = {}): string {
  const file = join(folder, 'experiment.json');
  const experiment = {
    name: 'tiny',
    network: { preset: 'mobilenet_cifar10', blocks: 3, width: 4 },
    data: { name: 'fashion-mnist', augment: [], trainImages: 256, testImages: 100 },
    fit: { epochs: 1, batch: 64 },
    splitting: { method: 'exact', epsilon: 'line-search', images: 64 },
    stop: { stages: 1 },
    compare: ['width-multiplier'],
    output: join(folder, 'run'),
    threads: 1,
    ...change,
  };
  writeFileSync(file, JSON.stringify(experiment));
  return file;
}

test('ends with the table, the rival, the certificates and the report; --json with the summary alone', async () => {
  const folder = temporaryFolder();
  const file = experimentFile(folder);
  const report = join(folder, 'run', 'report.html');

  const { code, stdout, stderr } = await splitgrow(['grow', file]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('splitgrow: E_') });
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(
    /^stage +widths +MACs +compute +parameters +top-1 % +fit s +indices s +select s +grow s +evaluate s$/,
  );
  expect(lines[1]).toMatch(/^0 +4 4 4 4 4( 10)? +[\d,]+ +[\d.]+ [MG] +[\d,]+ +\d+\.\d\d /);
  expect(lines[2]).toMatch(/^1 /);
  expect(lines[3]).toMatch(/^Width multiplier \d\.\d\dx, stage 1 /);
  expect(stdout).toMatch(
    /\nstage 0 to 1 +\d+ split; macs [\d,]+ of [\d,]+ \([\d.]+ % of the growth used\); indices sum to .*, LP bound .*, gap /,
  );
  expect(stdout).toContain(report);
  expect(readFileSync(report, 'utf8')).toContain('<figure id="figure-accuracy">');
  expect(existsSync(join(folder, 'run', 'stages.csv'))).toBe(true);

  const again = await splitgrow(['grow', file, '--json']);
  expect(again.code).toBe(0);
  expect(again.stdout.trimEnd()).not.toContain('\n');
  const summary = JSON.parse(again.stdout) as Summary;
  expect(summary).toEqual(JSON.parse(readFileSync(join(folder, 'run', 'summary.json'), 'utf8')));
  const [seed, grown] = summary.stages;
  expect(grown?.macs).toBeLessThanOrEqual(1.5 * (seed?.macs ?? 0));
});

/** Starts a run that would take long and resolves when it has told of its first epoch. */
async function begun(): Promise<ReturnType<typeof start>> {
  const fit = { epochs: 100_000, batch: 64, schedule: { kind: 'constant' } };
  const running = start(['grow', experimentFile(temporaryFolder(), { fit })]);
  await Promise.race([
    new Promise((resolve) => running.child.stderr?.once('data', resolve)),
    running.ended.then(({ stderr }) => Promise.reject(new Error(`it ended: ${stderr}`))),
  ]);
  return running;
}

describe('a signal stops the work, and the exit code tells which', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGUSR1', 138],
  ] as const)('%s', async (signal, exitCode) => {
    const { child, ended } = await begun();
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(
      errorLine({ code, signal: null, stdout, stderr: `${stderr.trimEnd().split('\n').at(-1)}\n` })?.code,
    ).toBe('E_ABORTED');
  });
});

describe('an experiment that is wrong ends with exit code 2, one line, and nothing written', () => {
  const WRONG: readonly (readonly [claim: string, set: readonly string[], code: string, says: RegExp])[] = [
    ['an unknown field names the nearest', ['fit.epcohs=3'], 'E_EXPERIMENT', /fit\.epcohs.*epochs/],
    ['a text where a number goes', ['fit.epochs=many'], 'E_EXPERIMENT', /fit\.epochs/],
    ['a dataset that is not there', ['data={"name":"cifar10","root":"/nowhere"}'], 'E_DATA', /\/nowhere/],
    ['a preset that is not there', ['network.preset=mobilenet'], 'E_EXPERIMENT', /network\.preset/],
    ['no end to the growth', ['stop={}'], 'E_EXPERIMENT', /stop/],
  ];
  test.each(WRONG)('%s', async (_claim, set, code, says) => {
    const folder = temporaryFolder();
    const ended = await splitgrow(['grow', experimentFile(folder), ...set.flatMap((one) => ['--set', one])]);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 2, stdout: '' });
    expect(errorLine(ended)?.code).toBe(code);
    expect(errorLine(ended)?.text).toMatch(says);
    expect(existsSync(join(folder, 'run'))).toBe(false);
  });

  test('a file that is no JSON', async () => {
    const file = join(temporaryFolder(), 'torn.json');
    writeFileSync(file, '{ "name": "x", \n "network": ');
    const ended = await splitgrow(['train', file]);
    expect(ended.code).toBe(2);
    expect(errorLine(ended)?.code).toBe('E_EXPERIMENT');
  });
});
