// Errors with stable codes: what was expected, where, what was found, what to do.

/** What an error code stands for. */
export interface ErrorRow {
  /** Exit code of the command line: 2 wrong usage or input, 1 failed. */
  readonly exit: 1 | 2;
  /** What went wrong. */
  readonly means: string;
  /** What to do, where the error's own message does not say it more exactly. */
  readonly remedy: string;
}

const ROWS = {
  E_USAGE: {
    exit: 2,
    means: 'the command line is wrong',
    remedy: '`splitgrow COMMAND --help` lists what it takes',
  },
  E_EXPERIMENT: {
    exit: 2,
    means: 'the experiment file is not valid',
    remedy: 'mend the field that the message names',
  },
  E_GRAPH_FORMAT: {
    exit: 2,
    means: 'network.json is not of format splitgrow-network/1',
    remedy: 'write `network.json` as docs/reference.md has it, or let splitgrow write it',
  },
  E_GRAPH_ID: {
    exit: 2,
    means: 'a node id is missing, repeated or reserved',
    remedy: 'give every node an id of its own',
  },
  E_GRAPH_OP: {
    exit: 2,
    means: 'a node has an unknown op',
    remedy: 'take an op of the list that the message names the nearest of',
  },
  E_GRAPH_FIELD: {
    exit: 2,
    means: 'a field of a node is unknown, missing or of a wrong value',
    remedy: 'mend the field of the node that the message names',
  },
  E_GRAPH_INPUT: {
    exit: 2,
    means: 'an input of a node does not exist or comes later',
    remedy: 'name a node that stands before this one, or `input`',
  },
  E_GRAPH_ARITY: {
    exit: 2,
    means: 'a node has too few or too many inputs',
    remedy: 'give the node as many inputs as the message expects',
  },
  E_GRAPH_SHAPE: {
    exit: 2,
    means: 'a node cannot take the shape it is given',
    remedy: 'pool, flatten or pad before the node, or take a smaller kernel or stride',
  },
  E_GRAPH_WIDTH: {
    exit: 2,
    means: 'the inputs of a node differ in width',
    remedy: 'make the layers before the node equally wide',
  },
  E_GRAPH_OUTPUT: {
    exit: 2,
    means: 'the output node is missing or of a wrong shape',
    remedy: 'name the last linear layer as `output`',
  },
  E_PRESET: {
    exit: 2,
    means: 'unknown preset or wrong preset option',
    remedy: 'take a preset and options of docs/reference.md',
  },
  E_PLAN: {
    exit: 2,
    means: 'a split plan names what cannot be split',
    remedy: 'name layers and neurons of this network that may be split',
  },
  E_DIRECTIONS: {
    exit: 2,
    means: 'splitting directions do not fit the network',
    remedy: 'compute the directions of this very network by `indices`',
  },
  E_SAFETENSORS: {
    exit: 2,
    means: 'a safetensors file is malformed',
    remedy: 'copy or save the file again: it is cut short or no safetensors file',
  },
  E_WEIGHTS: {
    exit: 2,
    means: 'weights do not fit the network',
    remedy: 'take the weights that belong to this `network.json`',
  },
  E_BATCH: {
    exit: 2,
    means: 'a batch file does not fit the network',
    remedy: 'save images and labels in the shapes that the message expects',
  },
  E_DATA: {
    exit: 2,
    means: 'a dataset is missing, malformed or of the wrong shape',
    remedy: '`splitgrow data list` says what is there; mend the path or the file that the message names',
  },
  E_LABELS: {
    exit: 2,
    means: 'labels are out of range',
    remedy: 'number the classes from 0, or give the network as many classes',
  },
  E_FILE: { exit: 2, means: 'a file cannot be read', remedy: 'check path and permissions' },
  E_RESUME: {
    exit: 2,
    means: 'the output folder holds another experiment',
    remedy: 'choose another `output`, or remove the folder',
  },
  E_HANDLE: {
    exit: 2,
    means: 'a native handle is of the wrong type or disposed',
    remedy: 'do not use a network after it was disposed of; make or load it again',
  },
  E_ARGUMENT: {
    exit: 2,
    means: 'an argument has a wrong type or value',
    remedy: 'mend the argument that the message names',
  },
  E_CALLBACK: {
    exit: 2,
    means: 'a cost or strategy of the caller failed or broke its rules',
    remedy: 'mend the function that the message names; the run goes on with it',
  },
  E_DEVICE: {
    exit: 2,
    means: 'the device asked for is not there',
    remedy: '`splitgrow doctor` says what is there; take `cpu`',
  },
  E_MACHINE: {
    exit: 1,
    means: 'the machine cannot run splitgrow: its system, processor or C library',
    remedy: 'run on Linux x64 with AVX2 and glibc 2.28 or later',
  },
  E_LIBTORCH: {
    exit: 1,
    means: 'LibTorch is missing or of another version',
    remedy: '`npx splitgrow setup`',
  },
  E_IMAGES: {
    exit: 1,
    means: 'the JPEG decoder is missing or does not load',
    remedy: 'install the package again, or name a libturbojpeg by `SPLITGROW_TURBOJPEG`',
  },
  E_UNREADABLE: {
    exit: 1,
    means: 'some of the images cannot be read; the others were done',
    remedy: 'mend or leave out the files that the message names',
  },
  E_ADDON: {
    exit: 1,
    means: 'the native addon is missing or does not load',
    remedy: '`npx splitgrow doctor` says why, and the command that mends it',
  },
  E_BUILD: {
    exit: 1,
    means: 'the addon cannot be compiled',
    remedy: 'install what the message names; prebuilt addons need no compiler',
  },
  E_DOWNLOAD: {
    exit: 1,
    means: 'a file cannot be downloaded, or is not what it should be',
    remedy: 'try again, which goes on where it stopped; check proxy and mirror',
  },
  E_PORT: { exit: 1, means: 'a port cannot be served on', remedy: 'take another port' },
  E_WRITE: {
    exit: 1,
    means: 'a file cannot be written',
    remedy: 'make room, or write where that is allowed',
  },
  E_OUTPUT: {
    exit: 1,
    means: 'the output folder was removed, moved, or taken over by another run while a run wrote to it',
    remedy: 'put the folder back if it was moved; the same call goes on from its last checkpoint',
  },
  E_ABORTED: {
    exit: 1,
    means: 'the work was aborted',
    remedy: 'the same call goes on from its last checkpoint',
  },
  E_NOT_FINITE: {
    exit: 1,
    means: 'a loss, weight or index is not finite',
    remedy: 'lower `fit.optimizer.learningRate` or `splitting.epsilon`',
  },
  E_FUNCTION_CHANGED: {
    exit: 1,
    means: 'growth with step 0 changed the logits',
    remedy: 'report it with the experiment',
  },
  E_FIGURE: {
    exit: 1,
    means: 'runs of a figure failed',
    remedy: 'mend what the message names of each run; the same call goes on',
  },
  E_RANKS: {
    exit: 2,
    means: 'the ranks of one run were given different work or data',
    remedy: 'start every rank with the same experiment and the same data',
  },
  E_DISTRIBUTED: {
    exit: 1,
    means: 'a rank failed or cannot be reached',
    remedy: 'look at the rank that the message names; start all of them again',
  },
  E_NATIVE: {
    exit: 1,
    means: 'LibTorch reported an error',
    remedy:
      'read the message: often too little memory, so take a smaller `fit.microBatch`, `fit.evaluationBatch` or `splitting.memoryLimit`',
  },
  E_RESOURCES: {
    exit: 1,
    means: 'the system gives no more threads, open files or memory',
    remedy: 'raise the limit that the message names (`ulimit -a` lists them), or end other processes',
  },
  E_INTERNAL: { exit: 1, means: 'a fault of splitgrow', remedy: 'report it, with `--debug`' },
} as const satisfies Readonly<Record<string, ErrorRow>>;

/** A code of {@link CODES}; it never changes its meaning. */
export type ErrorCode = keyof typeof ROWS;

/** Every error code, with its meaning and its remedy. */
export const CODES: Readonly<Record<ErrorCode, ErrorRow>> = ROWS;

/**
 * The only error type that splitgrow throws on purpose. Its message says what was expected, where, what was found, and what
 * to do; `cause` is the error behind it, if there is one.
 */
export class SplitgrowError extends Error {
  /** Tells errors apart; messages may change. */
  readonly code: ErrorCode;
  /** @param code What went wrong; `message` says it in full. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SplitgrowError';
    this.code = code;
  }
  /** What the command line ends with. */
  get exitCode(): 1 | 2 {
    return CODES[this.code].exit;
  }
}

/** True for an error with one of the codes above. */
export function isSplitgrowError(error: unknown): error is SplitgrowError {
  return error instanceof SplitgrowError;
}

/** What an error says; of anything else that was thrown, its text. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
