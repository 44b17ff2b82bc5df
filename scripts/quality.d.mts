// Types of quality.mjs, for the tests.
export const PAGE: string;
export function withResults(text: string): string;
