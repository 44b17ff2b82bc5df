// Records that state what the files beside them hold, sealed by a digest of themselves: stage.json, best.json, state.json.
import { basename, join } from 'node:path';
import { type Digest, digestOf, sha256Of } from './digest.js';
import { SplitgrowError } from './errors.js';
import { readJsonFile } from './text-file.js';

/** Length and SHA-256 of files, by their names. */
export type FileDigests = Readonly<Record<string, Digest>>;

/** Records that a network directory may hold. */
const RECORDS = ['stage.json', 'best.json', 'state.json'] as const;

export async function digestsOf(directory: string, names: readonly string[]): Promise<FileDigests> {
  const files: [string, Digest][] = [];
  for (const name of names) files.push([name, await digestOf(join(directory, name))]);
  return Object.fromEntries(files);
}

/** The record with its last two fields: `files`, and `sha256` of all before it. */
export function sealed<T extends object>(record: T, files: FileDigests | null): string {
  const whole = files === null ? record : { ...record, files };
  return `${JSON.stringify({ ...whole, sha256: sha256Of(JSON.stringify(whole)) })}\n`;
}

export interface Unsealed {
  readonly record: Readonly<Record<string, unknown>>;
  /** Null where the record states none, as those of older versions. */
  readonly files: FileDigests | null;
}

/** A record and what it was sealed with; null where it is no object, or its own digest is wrong. One without a digest is taken. */
export function unsealed(json: unknown): Unsealed | null {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
  const { sha256, ...whole } = json as Readonly<Record<string, unknown>>;
  if (sha256 === undefined) return { record: whole, files: null };
  if (sha256 !== sha256Of(JSON.stringify(whole))) return null;
  const { files, ...record } = whole;
  return { record, files: (files ?? null) as FileDigests | null };
}

/** What is wrong with a file of which this is stated, or null. */
export async function faultOf(file: string, want: Digest): Promise<string | null> {
  let found: Digest;
  try {
    found = await digestOf(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'it is missing';
    throw error;
  }
  if (found.bytes !== want.bytes) return `expected ${want.bytes} bytes, found ${found.bytes}`;
  return found.sha256 === want.sha256 ? null : `expected SHA-256 ${want.sha256}, found ${found.sha256}`;
}

/**
 * Refuses text of a network directory that is not what a record beside it states. A record that is damaged itself states
 * nothing here: who reads the record says so.
 *
 * @throws E_FILE
 */
export async function refuseChanged(file: string, text: string): Promise<void> {
  const name = basename(file);
  for (const one of RECORDS) {
    const place = join(file, '..', one);
    const json = await readJsonFile(place, { code: 'E_FILE' }).catch(() => undefined);
    const want = unsealed(json)?.files?.[name];
    if (want === undefined) continue;
    const found = sha256Of(text);
    if (found === want.sha256) return;
    throw new SplitgrowError(
      'E_FILE',
      `${file}: expected SHA-256 ${want.sha256}, which ${place} states, found ${found}: it was changed or damaged since it was written; ` +
        `put a copy of it back, or, where the change is meant, take "files" and "sha256" out of ${place}`,
    );
  }
}
