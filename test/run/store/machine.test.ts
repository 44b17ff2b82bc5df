// The machine in a report: LibTorch is the one that computes, asked in this process.
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { loadCore } from '../../../lib/native/load.js';
import { describeMachine } from '../../../lib/run/store/machine.js';
import { temporaryFolder } from '../tiny.js';

afterEach(() => vi.unstubAllEnvs());

test('names no LibTorch before one is loaded, then what the loaded one says of itself, and starts no python3', () => {
  const folder = temporaryFolder();
  const marker = join(folder, 'started');
  writeFileSync(join(folder, 'python3'), `#!/bin/sh\ntouch ${marker}\n`);
  chmodSync(join(folder, 'python3'), 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`);
  const libtorch = () => Object.fromEntries(describeMachine()).LibTorch;
  expect(libtorch()).toMatch(/^none: nothing was computed/);
  expect(existsSync(marker)).toBe(false);
  vi.unstubAllEnvs();
  const { features } = loadCore();
  // Another LibTorch that would be found is not the one that computes.
  vi.stubEnv('SPLITGROW_LIBTORCH', join(folder, 'none'));
  expect(libtorch()).toBe(features().libtorch);
  expect(libtorch()).toMatch(/^\d+\.\d+\.\d+/);
});
