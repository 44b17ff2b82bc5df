#!/usr/bin/env node
// The splitgrow command: runs one command line and leaves its exit code.
import { COMMANDS } from './commands.js';
import { reportError, runCommandLine } from './run.js';

const argv = process.argv.slice(2);

/** A reader that went away (`| head`) is no error. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}
process.stdout.on('error', endQuietly);
process.stderr.on('error', endQuietly);

function crash(error: unknown): void {
  process.exit(reportError(error, argv.includes('--debug')));
}
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

process.exitCode = await runCommandLine(argv, COMMANDS);
