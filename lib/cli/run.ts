// One command line from its words to its exit code: output, one-line errors, signals.

import { setImmediate as turn } from 'node:timers/promises';
import { CommanderError } from 'commander';
import { isSplitgrowError, SplitgrowError } from '../errors.js';
import { writeError } from '../machine/files/atomic.js';
import { readRanks } from '../machine/launchers.js';
import { systemError } from '../machine/system-errors.js';
import { packageVersion } from '../machine/version.js';
import { oneLine } from '../statistics/format.js';
import type { Command, Given, Output } from './command.js';
import { buildProgram, usageError } from './parse.js';
import { meterOn, showOn } from './progress.js';
import { listenForSignals, type Signals } from './signals.js';
import { styleOf } from './table.js';

/** What a write ends with when its reader went away, as `| head` does with all it wants. */
const READER_GONE: readonly unknown[] = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

/**
 * Keeps a write that fails from ending the process. Without a listener, Node.js throws the error of a stream in the middle
 * of whatever runs: a full disk behind the log, or a reader of it that went away, would end the work.
 */
export function outliveStreams(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/**
 * Writes to standard output, and waits until all is handed over. A reader that went away is no error.
 *
 * @throws E_WRITE where it could not be written, as on a full disk
 */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, (error) => {
      const code = (error as NodeJS.ErrnoException | null | undefined)?.code;
      if (!error || READER_GONE.includes(code)) resolve();
      else reject(writeError('standard output (the work itself is done)', error));
    });
  });
}

/** What went wrong as an error with a code; anything unforeseen is E_INTERNAL. */
function coded(error: unknown): SplitgrowError {
  if (isSplitgrowError(error)) return error;
  const known = systemError(error);
  if (known !== null) return known;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new SplitgrowError('E_INTERNAL', `${message} (a fault of splitgrow; --debug shows where)`, {
    cause: error,
  });
}

/** `splitgrow: <CODE>: <text>` on one line; the stack after it with --debug. Returns the exit code. */
export function reportError(error: unknown, isDebug: boolean): 1 | 2 {
  const known = coded(error);
  process.stderr.write(`splitgrow: ${known.code}: ${oneLine(known.message)}\n`);
  if (isDebug) {
    for (let cause: unknown = known; cause instanceof Error; cause = cause.cause)
      process.stderr.write(`${cause.stack ?? cause.message}\n`);
  }
  return known.exitCode;
}

/** A signal that came while a command did not listen, as long arithmetic does not. @throws E_ABORTED */
async function refuseStopped({ signal }: Signals): Promise<void> {
  // Node.js looks for signals once a turn of the event loop, and the work may have ended in the middle of one.
  await turn();
  await turn();
  if (!signal.aborted) return;
  throw new SplitgrowError('E_ABORTED', 'stopped before the result was printed; the work itself is done');
}

/** Which rank this is, 0 where there is one process. A command that does not work in ranks runs whatever the variables say. */
function rankFor({ isCollective }: Command): number {
  try {
    return readRanks()?.rank ?? 0;
  } catch (error) {
    if (isCollective === true) throw error;
    return 0;
  }
}

async function execute(command: Command, given: Given): Promise<number> {
  const isSilent = rankFor(command) > 0;
  if (isSilent && command.isCollective !== true) return 0;
  const meter = meterOn(process.stderr);
  const signals = listenForSignals(
    () => {
      meter.stop();
      if (process.stderr.isTTY) process.stderr.write('stopping; once more ends it at once\n');
    },
    { endsAnywhere: command.endsAnywhere === true },
  );
  let output: Output;
  try {
    output = await command.run(given, {
      control: {
        signal: signals.signal,
        onEvent: isSilent ? undefined : showOn(meter, { hasStages: command.hasStages }),
      },
      meter,
    });
    if (output.isPrinted !== true) await refuseStopped(signals);
  } catch (error) {
    meter.stop();
    const exitCode = reportError(error, given.debug);
    return isSplitgrowError(error) && error.code === 'E_ABORTED'
      ? (signals.exitCode() ?? exitCode)
      : exitCode;
  } finally {
    meter.stop();
    signals.stop();
  }
  if (isSilent || output.isPrinted === true) return output.exitCode ?? 0;
  const text = given.json ? JSON.stringify(output.document) : await output.text(styleOf(process.stdout));
  const lost = await print(text).then(
    () => null,
    (error: unknown) => reportError(error, given.debug),
  );
  if (output.error) return reportError(output.error, given.debug);
  return lost ?? output.exitCode ?? 0;
}

/** Runs the words after `splitgrow`; resolves to the exit code and never rejects. */
export async function runCommandLine(argv: readonly string[], commands: readonly Command[]): Promise<number> {
  const isDebug = argv.includes('--debug');
  let exitCode = 0;
  let help = '';
  const program = buildProgram(commands, packageVersion(), {
    execute: async (command, given) => {
      exitCode = await execute(command, given);
    },
    writeHelp: (text) => {
      help += text;
    },
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, isDebug);
    const usage = usageError(error, argv, commands);
    if (usage !== null) return reportError(usage, isDebug);
  }
  // Help, or the version.
  return print(help).then(
    () => 0,
    (error: unknown) => reportError(error, isDebug),
  );
}
