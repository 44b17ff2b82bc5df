// Records that state the digests of the files beside them and of themselves: stage.json, early.json, state.json.
import { join } from 'node:path';
import { type Digest, digestOf, sha256Of } from '../../machine/files/digest.js';

/** Length and SHA-256 of files, by their names. */
export type FileDigests = Readonly<Record<string, Digest>>;

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
  /** Null where the record states none, as in older versions. */
  readonly files: FileDigests | null;
}

/** A record and its digests; null where it is no object or its own digest is wrong. A record without a digest is taken. */
export function unsealed(json: unknown): Unsealed | null {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
  const { sha256, ...whole } = json as Readonly<Record<string, unknown>>;
  if (sha256 === undefined) return { record: whole, files: null };
  if (sha256 !== sha256Of(JSON.stringify(whole))) return null;
  const { files, ...record } = whole;
  return { record, files: (files ?? null) as FileDigests | null };
}

/** What is wrong with a file, by what its record states; or null. */
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
