// What the command line makes of commands that fail in unforeseen ways.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Command, defineCommand } from '../../lib/cli/command.js';
import { required, text, toggle } from '../../lib/cli/flags.js';
import { runCommandLine } from '../../lib/cli/run.js';
import { SplitgrowError } from '../../lib/errors.js';

const written = { out: '', error: '' };

beforeEach(() => {
  Object.assign(written, { out: '', error: '' });
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    written.error += String(chunk);
    return true;
  });
  vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: unknown, done?: () => void) => {
    written.out += String(chunk);
    done?.();
    return true;
  }) as typeof process.stdout.write);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function failing(error: unknown): readonly Command[] {
  return [
    defineCommand({
      name: 'fail',
      summary: 'fails',
      flags: { quick: toggle('at once') },
      examples: [['splitgrow fail', 'fails']],
      run: () => Promise.reject(error),
    }),
  ];
}

test('an unforeseen error is one E_INTERNAL line without a stack', async () => {
  expect(await runCommandLine(['fail'], failing(new TypeError('first line\nsecond\u001b[31m line')))).toBe(1);
  expect(written).toEqual({
    out: '',
    error:
      'splitgrow: E_INTERNAL: TypeError: first line second\ufffd[31m line (a fault of splitgrow; --debug shows where)\n',
  });
});

test('what is thrown need not be an error', async () => {
  expect(await runCommandLine(['fail'], failing(undefined))).toBe(1);
  expect(written.error).toBe(
    'splitgrow: E_INTERNAL: undefined (a fault of splitgrow; --debug shows where)\n',
  );
});

test('--debug shows the stack of an error and of its cause', async () => {
  const cause = new RangeError('the cause');
  expect(
    await runCommandLine(['fail', '--debug'], failing(new SplitgrowError('E_DATA', 'what', { cause }))),
  ).toBe(2);
  expect(written.error).toMatch(/^splitgrow: E_DATA: what\nSplitgrowError: what\n {4}at /);
  expect(written.error).toContain('RangeError: the cause\n    at ');
});

test('an aborted work that no signal stopped ends with exit code 1', async () => {
  expect(
    await runCommandLine(['fail'], failing(new SplitgrowError('E_ABORTED', 'the work was aborted'))),
  ).toBe(1);
});

test('a command gets its arguments, its flags and the defaults, under their own names', async () => {
  const run = vi.fn(async () => ({ document: { fine: true }, text: () => 'fine', exitCode: 1 as const }));
  const command = defineCommand({
    name: 'go',
    summary: 'goes',
    arguments: { place: required(text('PLACE', 'where to')) },
    flags: { byNight: toggle('in the dark'), firstWord: text('WORD', 'to say') },
    examples: [['splitgrow go home', 'goes']],
    run,
  });
  expect(
    await runCommandLine(['go', 'home', '--first-word', 'hello', '--json', '--threads', '2'], [command]),
  ).toBe(1);
  expect(written).toEqual({ out: '{"fine":true}\n', error: '' });
  expect(run).toHaveBeenCalledWith(
    { place: 'home', byNight: false, firstWord: 'hello', json: true, threads: 2, debug: false },
    expect.anything(),
  );
});

test('a signal that came while a command did not listen ends it before its result is printed', async () => {
  const deaf = defineCommand({
    name: 'deaf',
    summary: 'counts without a pause',
    flags: {},
    examples: [['splitgrow deaf', 'counts']],
    run: async () => {
      // As Node.js tells of signals: in a later turn of the event loop.
      setImmediate(() => process.emit('SIGTERM', 'SIGTERM'));
      return { document: null, text: () => 'the result' };
    },
  });
  expect(await runCommandLine(['deaf'], [deaf])).toBe(143);
  expect(written).toEqual({
    out: '',
    error: 'splitgrow: E_ABORTED: stopped before the result was printed; the work itself is done\n',
  });
});
