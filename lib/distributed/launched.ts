// A rank ends when the `launch` that started it ends. They share a pipe, which closes when the launcher ends, by kill -9 too.
import { Socket } from 'node:net';

/** Number of the pipe in a rank. */
export const LAUNCHER_PIPE = 3;
/** The variable that says that the pipe is there. */
export const LAUNCHER_VARIABLE = 'SPLITGROW_LAUNCHED';
/** How long a rank may take to stop, rank 0 to write its checkpoint, before it is killed. */
const GRACE_MS = 10_000;

/** Call it in a process that `launch` may have started. When the launcher has ended, the process is asked to stop, and later killed. */
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
    // Somebody else set the variable. There is no such pipe.
  }
}
