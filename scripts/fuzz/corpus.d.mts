// Types of corpus.mjs, for the tests.
export function linesOf(text: string): Buffer[];
export function textOf(inputs: readonly Buffer[]): string;
