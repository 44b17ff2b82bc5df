#!/usr/bin/env node
// The splitgrow command: runs one command line and leaves its exit code.
import { systemError } from '../machine/system-errors.js';

const argv = process.argv.slice(2);

/** Everything else is loaded here, where a failure is told as all others are: `ulimit -n` may be too low for it. */
async function loaded() {
  const { COMMANDS } = await import('./commands.js');
  const { outliveStreams, reportError, runCommandLine } = await import('./run.js');
  const { endWithLauncher } = await import('../distributed/launched.js');
  return { COMMANDS, reportError, runCommandLine, outliveStreams, endWithLauncher };
}

const modules = await loaded().catch((error: unknown) => {
  const known = systemError(error);
  const text =
    known === null ? `E_INTERNAL: splitgrow does not load: ${error}` : `${known.code}: ${known.message}`;
  process.stderr.write(`splitgrow: ${text.replace(/\s+/g, ' ')}\n`);
  process.exitCode = known?.exitCode ?? 1;
  return null;
});

if (modules !== null) {
  const { COMMANDS, reportError, runCommandLine, outliveStreams, endWithLauncher } = modules;
  outliveStreams();
  endWithLauncher();
  const crash = (error: unknown): void => process.exit(reportError(error, argv.includes('--debug')));
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  process.exitCode = await runCommandLine(argv, COMMANDS);
}
