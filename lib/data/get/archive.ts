// A dataset that comes as an archive. The archive is downloaded or was put there by hand; it is unpacked, and its files are renamed into place.

import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { faultOf, type RemoteFile } from '../../machine/download/download.js';
import { makeFolder, syncDirectory, syncTree, writeFileAtomic } from '../../machine/files/atomic.js';
import { checksumsOf, sizeOf } from '../../machine/files/digest.js';
import { ifThere } from '../../machine/files/folder.js';
import { type FileState, RECEIPT_FILE, type Receipt, statesIn } from './checksum.js';
import { placesIn } from './places.js';
import type { Archive } from './sources.js';
import { unpack } from './unpack.js';
import { fetchFile, type GetDataDocument, partOf, requireRoom, type Work, wrongFile } from './work.js';

/** Unpacks the archive into the dataset's folder. Files that are there already stay. */
async function unpackInto(
  work: Work,
  archive: Archive,
  place: { readonly packed: string; readonly folder: string },
): Promise<void> {
  const { source, control } = work;
  const { packed, folder } = place;
  const total = archive.members.reduce((sum, { bytes }) => sum + bytes, 0);
  const temporary = join(work.place, 'unpacked');
  await mkdir(temporary);
  await unpack(packed, temporary, archive, {
    signal: control.signal,
    onBytes: (done) =>
      control.onProgress?.({
        phase: 'unpack',
        message: archive.folder,
        done: Math.min(done, total),
        total,
      }),
  });
  const files: Record<string, string> = {};
  for (const { file } of archive.members)
    files[file] = (await checksumsOf(join(temporary, file), { signal: control.signal })).sha256;
  const [{ file = '', sha256 = '' } = {}] = source.files;
  const receipt: Receipt = {
    format: 'splitgrow-data/1',
    name: source.name,
    archive: { file, sha256 },
    files,
  };
  await syncTree(temporary);
  await makeFolder(folder);
  // The receipt comes first. After a kill, the files that are there can be checked by it.
  await writeFileAtomic(join(folder, RECEIPT_FILE), `${JSON.stringify(receipt, null, 2)}\n`);
  // Files that are there stay: those of the table have been checked, and others belong to somebody else.
  for (const name of await readdir(temporary))
    if ((await ifThere(lstat(join(folder, name)))) === null)
      await rename(join(temporary, name), join(folder, name));
  await syncDirectory(folder);
}

/** Gets the files of an archive that lies in the root, or that is downloaded now. */
export async function getArchive(work: Work, archive: Archive, packed: RemoteFile): Promise<GetDataDocument> {
  const { source, root, control } = work;
  const [folder] = placesIn(root, source);
  const before: readonly FileState[] = await statesIn(folder, source, control.signal);
  const wrong = before.find(({ state }) => state === 'wrong');
  if (wrong !== undefined)
    throw wrongFile(join(folder, wrong.file), `its size (${wrong.bytes} bytes) or checksum is another`);
  const byHand = join(root, packed.file);
  const isByHand = (await sizeOf(byHand)) !== null;
  const unpacked = archive.members.reduce((sum, { bytes }) => sum + bytes, 0);
  if (isByHand) {
    const fault = await faultOf(byHand, packed, control.signal);
    if (fault !== null) throw wrongFile(byHand, fault);
  }
  const left = isByHand ? 0 : packed.bytes - ((await sizeOf(partOf(root, packed))) ?? 0);
  await requireRoom(root, Math.max(0, left) + unpacked);
  const part = isByHand ? byHand : await fetchFile(work, packed);
  try {
    await unpackInto(work, archive, { packed: part, folder });
  } finally {
    // The .part is not needed any more: it has been unpacked, or it cannot be unpacked.
    if (!isByHand && control.signal?.aborted !== true) await rm(part, { force: true });
  }
  return {
    name: source.name,
    directory: folder,
    files: before.map(({ file, state }, i) => ({
      file,
      bytes: archive.members[i]?.bytes ?? 0,
      status: state === 'there' ? 'there' : isByHand ? 'unpacked' : 'downloaded',
    })),
  };
}
