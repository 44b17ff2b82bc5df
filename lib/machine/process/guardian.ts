// Ends the programs that this process started when this process ends, by kill -9 too: a shell waits for the end of a pipe.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Reads `+ PID` and `- PID`, a line each. At the end of the pipe it kills the process groups that are left. */
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
    // Out of reach of a terminal's Ctrl-C.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Where there is no shell, programs end by themselves.
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return { pipe: shell.stdin, programs: 0 };
}

/** Starts a program, the first of its process group. It and its group end with this process. */
export function endingWithThisProcess<Program extends ChildProcess>(start: () => Program): Program {
  // Before the program, so that hardly a moment is left in which nobody would end it.
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
