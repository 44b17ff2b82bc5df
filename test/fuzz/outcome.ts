// What a reader of untrusted files may do: succeed, or refuse with a code that is meant for bad input.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSplitgrowError } from '../../lib/errors.js';

/** Faults of ours or of what we call: bad input must have been refused before. */
const FAULTS: ReadonlySet<string> = new Set(['E_INTERNAL', 'E_NATIVE', 'E_HANDLE']);

/** A message shows what it found in a few characters, however large the input is. */
const MAX_MESSAGE = 4_000;

/** A fuzz target: one function of the input's bytes, what it begins with, and words that its inputs are made of. */
export interface Target {
  readonly fuzz: (bytes: Buffer) => Promise<void>;
  readonly seeds: () => Promise<readonly Uint8Array[]>;
  readonly words: () => readonly string[];
}

/** Runs `work`; every outcome but success and a refusal is thrown on as a finding. */
export async function onlyRefusals(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isSplitgrowError(error) || FAULTS.has(error.code)) throw error;
    if (error.message.length <= MAX_MESSAGE) return;
    throw new Error(`${error.code}: a message of ${error.message.length} characters`, { cause: error });
  }
}

/** A folder for the inputs of this process; libFuzzer ends processes hard, so the system tidies up. */
export function folderOf(target: string): string {
  return mkdtempSync(join(process.env.SPLITGROW_FUZZ_FOLDER ?? tmpdir(), `splitgrow-fuzz-${target}-`));
}

/** Texts as bytes; those that are longer than libFuzzer's inputs are left out. */
export function bytesOf(texts: readonly string[], most = 4_096): readonly Uint8Array[] {
  return texts.map((text) => Buffer.from(text)).filter(({ length }) => length <= most);
}

/** JSON of a value; null where it has none, as values that nest too deep. */
export function jsonOf(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? null;
  } catch {
    return null;
  }
}
