#!/usr/bin/env node
// The splitgrow command: runs one command line and leaves its exit code.
import { endWithLauncher } from '../distributed/launched.js';
import { COMMANDS } from './commands.js';
import { reportError, runCommandLine } from './run.js';
import { outliveStreams } from './streams.js';

const argv = process.argv.slice(2);

outliveStreams();
endWithLauncher();

function crash(error: unknown): void {
  process.exit(reportError(error, argv.includes('--debug')));
}
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

process.exitCode = await runCommandLine(argv, COMMANDS);
