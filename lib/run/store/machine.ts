// The machine and the versions that a report was made with.
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { packageVersion } from '../../machine/version.js';
import { loadedCore } from '../../native/load.js';
import { bytes } from '../../statistics/format.js';

/** Name and value, in the order to show. */
export function describeMachine(): readonly (readonly [string, string])[] {
  const processors = cpus();
  return [
    ['splitgrow', packageVersion()],
    ['LibTorch', loadedCore()?.features().libtorch ?? 'none: nothing was computed to make this report'],
    ['Node', process.version],
    ['processor', processors[0]?.model.trim() ?? 'unknown'],
    ['cores', `${availableParallelism()} usable of ${processors.length}`],
    ['memory', bytes(totalmem())],
    ['system', `${type()} ${release()}, ${process.arch}`],
  ];
}
