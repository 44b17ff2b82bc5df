// Ends the programs of this process when this process ends, even by kill -9. A shell holds the other end of a pipe, and acts when the pipe closes.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Reads lines `+ PID` and `- PID`. When the pipe closes, it kills the process groups that are left. */
const WATCH = `
trap '' HUP INT TERM
all=
while read -r sign pid; do
  left=
  for each in $all; do [ "$each" = "$pid" ] || left="$left $each"; done
  [ "$sign" = + ] && left="$left $pid"
  all=$left
done
for each in $all; do kill -s KILL -- "-$each"; done
`;

/** The pipe to the shell, and how many programs it knows; null where there are none. */
let guardian: { readonly pipe: Writable; programs: number } | null = null;

function startGuardian(): { readonly pipe: Writable; programs: number } {
  const shell = spawn('/bin/sh', ['-c', WATCH], {
    cwd: '/',
    env: {},
    // So that Ctrl-C in a terminal does not end the shell.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a shell, programs end by themselves.
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return { pipe: shell.stdin, programs: 0 };
}

/** Starts a program that is the first of its process group. The group ends with this process. */
export function endingWithThisProcess<Program extends ChildProcess>(start: () => Program): Program {
  // The shell starts before the program, so that the time in which nobody would end the program is as short as possible.
  guardian ??= startGuardian();
  const mine = guardian;
  mine.programs += 1;
  const leave = (): void => {
    mine.programs -= 1;
    if (mine.programs > 0) return;
    mine.pipe.end();
    if (guardian === mine) guardian = null;
  };
  const program = start();
  const { pid } = program;
  if (pid === undefined) {
    leave();
    return program;
  }
  mine.pipe.write(`+ ${pid}\n`);
  program.once('exit', () => {
    mine.pipe.write(`- ${pid}\n`);
    leave();
  });
  return program;
}
