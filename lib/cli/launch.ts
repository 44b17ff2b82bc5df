// splitgrow launch: runs a command as several ranks on this machine.
import { launch } from '../distributed/launch.js';
import { MOST_THREADS } from '../native/threads.js';
import { defineCommand } from './command.js';
import { integer, repeated, required } from './flags.js';
import { reportError } from './run.js';

export const LAUNCH = defineCommand({
  name: 'launch',
  summary: 'runs a command as several data-parallel ranks on this machine',
  arguments: {
    command: required(repeated('COMMAND', 'a command of splitgrow and its flags, after --', (word) => word)),
  },
  flags: {
    processes: required(integer('N', 'how many ranks', { min: 1, max: 1024 })),
    threads: integer('T', 'threads of each rank (default: an equal share)', { min: 1, max: MOST_THREADS }),
  },
  examples: [
    [
      'splitgrow launch --processes 2 -- grow experiments/demo.json',
      'grows with two ranks of half the batch each',
    ],
    ['splitgrow launch --processes 2 -- train experiments/demo.json --json', "prints rank 0's document"],
  ],
  run: async ({ processes, threads, command, json, debug }, { control }) => {
    const words = json && !command.includes('--json') ? [...command, '--json'] : command;
    const exitCode = await launch({
      ...{ processes, threads, command: words, signal: control.signal },
      onDeath: (error) => void reportError(error, debug),
    });
    return { document: null, text: () => '', isPrinted: true, exitCode };
  },
});
