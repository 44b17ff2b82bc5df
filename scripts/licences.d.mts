// Types of licences.mjs, for the tests.
export const PAGE: string;
export function isAllowed(licence: string): boolean;
export function licences(): Promise<{
  page: string;
  refused: readonly (readonly [string, string, string])[];
}>;
