// Errors with stable codes: what was expected, where, what was found, what to do.

/** Every error code, with the exit code of the command line: 2 wrong usage or input, 1 failed. */
export const CODES = {
  E_USAGE: { exit: 2, means: 'the command line is wrong' },
  E_EXPERIMENT: { exit: 2, means: 'the experiment file is not valid' },
  E_GRAPH_FORMAT: { exit: 2, means: 'network.json is not of format splitgrow-network/1' },
  E_GRAPH_ID: { exit: 2, means: 'a node id is missing, repeated or reserved' },
  E_GRAPH_OP: { exit: 2, means: 'a node has an unknown op' },
  E_GRAPH_FIELD: { exit: 2, means: 'a field of a node is unknown, missing or of a wrong value' },
  E_GRAPH_INPUT: { exit: 2, means: 'an input of a node does not exist or comes later' },
  E_GRAPH_ARITY: { exit: 2, means: 'a node has too few or too many inputs' },
  E_GRAPH_SHAPE: { exit: 2, means: 'a node cannot take the shape it is given' },
  E_GRAPH_WIDTH: { exit: 2, means: 'the inputs of a node differ in width' },
  E_GRAPH_OUTPUT: { exit: 2, means: 'the output node is missing or of a wrong shape' },
  E_PRESET: { exit: 2, means: 'unknown preset or wrong preset option' },
  E_PLAN: { exit: 2, means: 'a split plan names what cannot be split' },
  E_DIRECTIONS: { exit: 2, means: 'splitting directions do not fit the network' },
  E_SAFETENSORS: { exit: 2, means: 'a safetensors file is malformed' },
  E_WEIGHTS: { exit: 2, means: 'weights do not fit the network' },
  E_BATCH: { exit: 2, means: 'a batch file does not fit the network' },
  E_DATA: { exit: 2, means: 'a dataset is missing, malformed or of the wrong shape' },
  E_LABELS: { exit: 2, means: 'labels are out of range' },
  E_FILE: { exit: 2, means: 'a file cannot be read' },
  E_RESUME: { exit: 2, means: 'the output folder holds another experiment' },
  E_HANDLE: { exit: 2, means: 'a native handle is of the wrong type or disposed' },
  E_ARGUMENT: { exit: 2, means: 'an argument has a wrong type or value' },
  E_CALLBACK: { exit: 2, means: 'a cost or strategy of the caller failed or broke its rules' },
  E_DEVICE: { exit: 2, means: 'the device asked for is not there' },
  E_MACHINE: { exit: 1, means: 'the machine cannot run splitgrow: its system, processor or C library' },
  E_LIBTORCH: { exit: 1, means: 'LibTorch is missing or of another version' },
  E_IMAGES: { exit: 1, means: 'the JPEG decoder is missing or does not load' },
  E_ADDON: { exit: 1, means: 'the native addon is missing or does not load' },
  E_DOWNLOAD: { exit: 1, means: 'a file cannot be downloaded, or is not what it should be' },
  E_PORT: { exit: 1, means: 'a port cannot be served on' },
  E_WRITE: { exit: 1, means: 'a file cannot be written' },
  E_ABORTED: { exit: 1, means: 'the work was aborted' },
  E_NOT_FINITE: { exit: 1, means: 'a loss, weight or index is not finite' },
  E_FUNCTION_CHANGED: { exit: 1, means: 'growth with step 0 changed the logits' },
  E_FIGURE: { exit: 1, means: 'runs of a figure failed' },
  E_DISTRIBUTED: { exit: 1, means: 'a rank failed or cannot be reached' },
  E_NATIVE: { exit: 1, means: 'LibTorch reported an error' },
  E_INTERNAL: { exit: 1, means: 'a fault of splitgrow' },
} as const;

export type ErrorCode = keyof typeof CODES;

/** The only error type that splitgrow throws on purpose. */
export class SplitgrowError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SplitgrowError';
    this.code = code;
  }
  get exitCode(): 1 | 2 {
    return CODES[this.code].exit;
  }
}

/** True for an error with one of the codes above. */
export function isSplitgrowError(error: unknown): error is SplitgrowError {
  return error instanceof SplitgrowError;
}
