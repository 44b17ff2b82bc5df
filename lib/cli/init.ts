// splitgrow init: a commented experiment to start from, by flags or by a few questions.
import { createInterface } from 'node:readline';
import { type InitOptions, init } from '../api/init.js';
import { SplitgrowError } from '../errors.js';
import { ZOO } from '../models/zoo.js';
import { DATA, EFFORTS } from '../run/init/choices.js';
import { integer as grouped } from '../statistics/format.js';
import { defineCommand } from './command.js';
import { choice, integer, text, toggle } from './flags.js';
import { FOLDER_FLAGS } from './shared-flags.js';
import { facts } from './table.js';

type Given = { -readonly [K in keyof InitOptions]: InitOptions[K] };
/** Puts a question and resolves to what was typed, without the line's end. */
type Ask = (question: string) => Promise<string>;

interface Question {
  readonly key: 'data' | 'root' | 'preset' | 'effort' | 'macs';
  readonly isAsked: (given: Given) => boolean;
  readonly words: (given: Given) => string;
  /** What an answer must be, where it is not that. */
  readonly refuses: (answer: string) => string | null;
  /** Taken where the answer is empty; null: left out. */
  readonly fallback: (given: Given) => string | null;
}

const names = (table: object): readonly string[] => Object.keys(table);
const among = (table: object) => (answer: string) =>
  names(table).includes(answer) ? null : `one of ${names(table).join(', ')}`;
const dataOf = ({ data }: Given) => DATA[data ?? 'fashion-mnist'];

/** In the order in which they are put; what a flag has said is not asked. */
const QUESTIONS: readonly Question[] = [
  {
    key: 'data',
    isAsked: () => true,
    words: () => `images (${names(DATA).join(', ')})`,
    refuses: among(DATA),
    fallback: () => 'fashion-mnist',
  },
  {
    key: 'root',
    isAsked: (given) => dataOf(given).isFolder,
    words: () => 'folder of the images',
    refuses: (answer) => (answer === '' ? 'a folder' : null),
    fallback: ({ data }) => (data === 'image-folder' ? '' : null),
  },
  {
    key: 'preset',
    isAsked: () => true,
    words: () => `network to start from (${names(ZOO).join(', ')})`,
    refuses: among(ZOO),
    fallback: (given) => dataOf(given).preset,
  },
  {
    key: 'effort',
    isAsked: () => true,
    words: () =>
      `effort (${Object.entries(EFFORTS)
        .map(([name, about]) => `${name}: ${about}`)
        .join('; ')})`,
    refuses: among(EFFORTS),
    fallback: (given) => dataOf(given).effort,
  },
  {
    key: 'macs',
    isAsked: () => true,
    words: () => 'most MACs that a network may have (nothing: a number of stages instead)',
    refuses: (answer) => (/^[1-9]\d{0,14}$/.test(answer) ? null : 'a whole number'),
    fallback: () => null,
  },
];

/** What was given, and what the questions add: each until its answer can be used. */
export async function asked(given: InitOptions, ask: Ask): Promise<InitOptions> {
  const answers: Given = { ...given };
  for (const { key, isAsked, words, refuses, fallback } of QUESTIONS) {
    if (answers[key] !== undefined || !isAsked(answers)) continue;
    const usual = fallback(answers);
    const shown = usual === null || usual === '' ? '' : ` [${usual}]`;
    let hint = '';
    for (;;) {
      const typed = (await ask(`${hint}${words(answers)}${shown}: `)).trim();
      const answer = typed === '' ? usual : typed;
      if (answer === null) break;
      const expected = refuses(answer);
      hint = `expected ${expected}\n`;
      if (expected !== null) continue;
      Object.assign(answers, { [key]: key === 'macs' ? Number(answer) : answer });
      break;
    }
  }
  return answers;
}

/** Asks on the terminal, on standard error: standard output is for the document. Lines typed ahead are answers too. */
async function askedHere(given: InitOptions, signal: AbortSignal | undefined): Promise<InitOptions> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const typed: string[] = [];
  let wake = (): void => {};
  let isOpen = true;
  lines.on('line', (line) => {
    typed.push(line);
    wake();
  });
  lines.once('close', () => {
    isOpen = false;
    wake();
  });
  // The terminal hands Ctrl-C on as a key: the process takes it as the signal that it is.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  signal?.addEventListener('abort', () => lines.close(), { once: true });
  const ask: Ask = async (question) => {
    // All but the last line is a hint; readline redraws the last one.
    const [last = '', ...hints] = question.split('\n').reverse();
    for (const hint of hints.reverse()) process.stderr.write(`${hint}\n`);
    lines.setPrompt(last);
    lines.prompt();
    while (typed.length === 0 && isOpen)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    const line = typed.shift();
    if (line === undefined) throw new SplitgrowError('E_ABORTED', 'init: the questions were left unanswered');
    return line;
  };
  try {
    return await asked(given, ask);
  } finally {
    lines.close();
  }
}

export const INIT = defineCommand({
  name: 'init',
  summary: 'writes a commented experiment to start from, by flags or, on a terminal, by a few questions',
  arguments: { file: text('FILE', "the file to write (default: the experiment's name with .jsonc)") },
  flags: {
    data: choice(names(DATA) as readonly (keyof typeof DATA)[], 'the images (default: fashion-mnist)'),
    root: text('DIR', 'folder of the images; image-folder needs one'),
    followLinks: FOLDER_FLAGS.followLinks,
    resolution: integer(
      'R',
      'pixels a side that the network sees, of images in files (default: what suits them)',
      {
        min: 1,
        max: 4096,
      },
    ),
    preset: text('NAME', `the network to start from (${names(ZOO).join(', ')})`),
    macs: integer('N', 'most MACs that a network of the run may have', { min: 1 }),
    params: integer('N', 'most parameters that a network of the run may have', { min: 1 }),
    effort: choice(
      names(EFFORTS) as readonly (keyof typeof EFFORTS)[],
      "quick: few short stages; full: the paper's schedule, or what suits the images (default: by the data)",
    ),
    name: text('NAME', 'what the run is called'),
    force: toggle('replaces the file if it is there'),
    yes: toggle('asks nothing, and takes the default for what no flag says'),
  },
  examples: [
    ['splitgrow init', 'asks; in a script, a quick experiment on Fashion-MNIST'],
    ['splitgrow init mine.jsonc --data image-folder --root photos --macs 20000000', 'classes of your own'],
    ['splitgrow init --data cifar10 --effort quick --yes', 'a short run on CIFAR-10'],
  ],
  run: async ({ yes, ...given }, { control }) => {
    const isAsked = !yes && process.stdin.isTTY === true && process.stderr.isTTY === true;
    const options = isAsked ? await askedHere(given, control.signal) : given;
    const document = await init(options);
    return {
      document,
      text: (style) =>
        facts(
          [
            ['written to', document.file],
            [
              'seed network',
              `${document.preset}, ${grouped(document.macs)} MACs, ${grouped(document.params)} parameters`,
            ],
            ...document.notes.map((note) => ['note', note] as const),
            ...document.next.map((line) => ['next', line] as const),
          ],
          style,
        ),
    };
  },
});
