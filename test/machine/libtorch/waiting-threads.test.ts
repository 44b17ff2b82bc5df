// How threads wait: what libgomp is told when it is opened, that children do not inherit it, and what doctor says.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { doctor, waitingFinding } from '../../../lib/machine/doctor/doctor.js';
import { waitingVariables } from '../../../lib/machine/libtorch/preload.js';
import { loadCoreTraced } from '../../../lib/native/load.js';
import { ROOT } from '../../data/places.js';

const run = promisify(execFile);
const MODULE = pathToFileURL(join(ROOT, 'dist', 'native', 'load.js')).href;
const { GOMP_SPINCOUNT: _, OMP_WAIT_POLICY: __, ...CLEAN } = process.env;

/** What libgomp says of itself when it is opened, and what a child of that process finds in its environment. */
async function load(env: Record<string, string>): Promise<{ said: string; inherited: string }> {
  const script = `
    import { execFileSync } from 'node:child_process';
    const { loadCore } = await import(${JSON.stringify(MODULE)});
    loadCore();
    console.log(execFileSync('env', { encoding: 'utf8' }) + 'seen=' + process.env.GOMP_SPINCOUNT);`;
  const options = { env: { ...CLEAN, ...env, OMP_DISPLAY_ENV: 'verbose' } };
  const ended = await run(process.execPath, ['--input-type=module', '--eval', script], options);
  return { said: ended.stderr, inherited: ended.stdout };
}

test('libgomp is opened with a bounded spin, which child processes do not inherit', async () => {
  const { said, inherited } = await load({});
  expect(said).toMatch(/GOMP_SPINCOUNT = '5000'/);
  expect(inherited).not.toContain('GOMP_SPINCOUNT=');
  expect(inherited).toContain('seen=undefined');
});

test('what the user has set holds, and stays set', async () => {
  const { said, inherited } = await load({ GOMP_SPINCOUNT: '7' });
  expect(said).toMatch(/GOMP_SPINCOUNT = '7'/);
  expect(inherited).toContain('GOMP_SPINCOUNT=7\n');
  const active = await load({ OMP_WAIT_POLICY: 'active' });
  expect(active.said).toMatch(/OMP_WAIT_POLICY = 'ACTIVE'/);
  expect(active.said).not.toMatch(/GOMP_SPINCOUNT = '5000'/);
  expect(waitingVariables({ OMP_WAIT_POLICY: 'passive' })).toEqual({});
});

test('doctor says how threads wait, and warns where libgomp was in the process already', async () => {
  const libgomp = loadCoreTraced().trace.find(({ path }) => path.includes('libgomp'))?.path ?? '';
  const rowOf = async (env: Record<string, string>) =>
    (await doctor({ env: { ...CLEAN, ...env } })).findings.find(({ name }) => name === 'waiting threads');
  expect(await rowOf({})).toMatchObject({ state: 'ok', found: 'look 5000 times, then sleep' });
  expect(await rowOf({ LD_PRELOAD: libgomp })).toMatchObject({
    state: 'warning',
    remedy: expect.stringContaining('GOMP_SPINCOUNT=5000'),
  });
  expect(waitingFinding([], { GOMP_SPINCOUNT: '0' })).toEqual({
    name: 'waiting threads',
    state: 'ok',
    found: 'as GOMP_SPINCOUNT=0 says',
  });
});
