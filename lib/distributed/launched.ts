// A rank that `launch` started ends when that does: the two share a pipe, which closes with the launcher, by kill -9 too.
import { Socket } from 'node:net';

/** Number of the pipe in a rank. */
export const LAUNCHER_PIPE = 3;
/** Says that the pipe is there. */
export const LAUNCHER_VARIABLE = 'SPLITGROW_LAUNCHED';
/** How long a rank may take to stop, rank 0 to write its checkpoint, before it is killed. */
const GRACE_MS = 10_000;

/** In a process that `launch` started: from now on it is asked to stop when the launcher has ended, and killed when it does not. */
export function endWithLauncher(): void {
  if (process.env[LAUNCHER_VARIABLE] === undefined) return;
  delete process.env[LAUNCHER_VARIABLE];
  const end = (): void => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
    process.kill(process.pid, 'SIGTERM');
  };
  try {
    const pipe = new Socket({ fd: LAUNCHER_PIPE, readable: true, writable: false });
    pipe.on('error', () => {}).once('close', end);
    pipe.resume().unref();
  } catch {
    // The variable came from elsewhere: there is no such pipe.
  }
}
