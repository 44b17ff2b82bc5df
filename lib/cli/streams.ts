// Standard output and standard error that cannot be written to: the log may be lost without a word, the document may not.
import { writeError } from '../machine/files/atomic.js';

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
