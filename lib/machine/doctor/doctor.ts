// doctor(): what was found on this machine, what is missing, and the command that mends it.

import { isSplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { readRanks } from '../launchers.js';
import { wantedLibTorch } from '../libtorch/addon.js';
import { jpegPath } from '../libtorch/jpeg.js';
import { type LibTorch, type Located, locate } from '../libtorch/locate.js';
import { REMEDIES } from '../libtorch/pinned.js';
import { type PreloadRow, SPIN_COUNT, WAITING_VARIABLES } from '../libtorch/preload.js';
import { type Features, isOpened, type NotOpened, type Opened, tryToOpen } from '../libtorch/trial.js';
import { pipCommand } from '../process/python.js';
import { run } from '../process/run.js';
import { type Finding, missing, ok, warning } from './finding.js';
import { type Driver, gpuFindings, readDriver } from './gpu.js';
import {
  cacheFinding,
  isPrebuilt,
  memoryFinding,
  nodeFinding,
  platformFindings,
  processorFinding,
  searchPathsFinding,
  workingFolderFinding,
} from './hardware.js';

export type { Finding } from './finding.js';

/** What `doctor` found. */
export interface DoctorReport {
  /** Nothing is missing. */
  readonly isReady: boolean;
  /** One row for each thing looked at. */
  readonly findings: readonly Finding[];
  /** The LibTorch that would be used; null where none was found. */
  readonly libtorch: LibTorch | null;
  /** Places that were looked at for LibTorch without success, with the reason. */
  readonly tried: readonly string[];
  /** What the core can do; null where it does not open. */
  readonly features: Features | null;
  /** null where there is no NVIDIA driver and no GPU. */
  readonly driver: Driver | null;
  /** Libraries opened for the core, in order. */
  readonly trace: readonly PreloadRow[];
}

export interface DoctorOptions {
  readonly env?: Environment;
  /** Limit of each process that tries something out. */
  readonly timeoutMs?: number;
}

/** The limit of each process that tries something out. */
const TIMEOUT_MS = 60_000;

/** A row on Python or pip. Only setup uses them. */
async function commandFinding(
  name: string,
  parameters: readonly string[],
  remedy: string,
  options: DoctorOptions,
): Promise<Finding> {
  const { fault, isAbsent, output } = await run('python3', parameters, options);
  if (fault === null) return ok(name, output.trim().split(' from ')[0] ?? '');
  return warning(name, `${isAbsent ? 'none' : fault}; setup asks it for pip's settings`, remedy);
}

function libtorchFinding({ found, tried }: Located, result: Opened | NotOpened | null): Finding {
  const name = 'LibTorch';
  if (found === null) return missing(name, `none (${tried.join('; ')})`, REMEDIES.setup);
  const where = `${found.version} in ${found.root} (${found.source})`;
  if (result === null || isOpened(result) || result.code === 'E_ADDON') return ok(name, where);
  const remedy =
    found.source === 'environment' ? 'point the variable elsewhere, or unset it' : REMEDIES.setupForce;
  return missing(name, `${where}: ${result.why}`, remedy);
}

function addonFinding(result: Opened | NotOpened | null): Finding {
  const name = 'addon';
  if (result === null) return missing(name, 'not tried: it needs LibTorch', REMEDIES.setup);
  if (!isOpened(result)) {
    if (result.code === 'E_ADDON') return missing(name, result.why, REMEDIES.build);
    return missing(name, 'not tried: LibTorch does not open', REMEDIES.setupForce);
  }
  const { cpuCapability, threads } = result.features;
  const how = isPrebuilt(result.addon) ? 'prebuilt' : 'compiled here';
  return ok(name, `${result.addon} (${how}; ${cpuCapability}, ${threads} threads)`);
}

function jpegFinding(result: Opened | NotOpened | null, env: Environment): Finding {
  const name = 'JPEG library';
  const path = jpegPath(env);
  if (result === null || !isOpened(result)) return ok(name, `${path}, not tried: it needs the addon`);
  if (result.jpegFault === '') return ok(name, path);
  return warning(name, result.jpegFault, 'only folders of images need it; install it as the text says');
}

/** Which rank a command would be if it were started here. */
function ranksFinding(env: Environment): Finding {
  const name = 'ranks';
  try {
    const ranks = readRanks(env);
    if (ranks === null) return ok(name, 'one process');
    const { rank, world, launcher, host, port } = ranks;
    return ok(name, `rank ${rank} of ${world} by ${launcher}, meeting at ${host}:${port}`);
  } catch (error) {
    if (!isSplitgrowError(error)) throw error;
    return warning(name, 'impossible environment variables', error.message);
  }
}

/** How threads wait for each other, and who decided it. */
export function waitingFinding(trace: readonly PreloadRow[], env: Environment): Finding {
  const name = 'waiting threads';
  const given = WAITING_VARIABLES.filter((variable) => env[variable] !== undefined);
  if (given.length > 0)
    return ok(name, `as ${given.map((variable) => `${variable}=${env[variable]}`).join(', ')} says`);
  if (trace.some(({ path, wasOpen }) => wasOpen && /(^|\/)libgomp[^/]*$/.test(path)))
    return warning(
      name,
      'libgomp was in the process already, so its threads wait as it was told before: by default they spin for milliseconds, and work beside other work is slow',
      `load splitgrow before the other addon, or set GOMP_SPINCOUNT=${SPIN_COUNT} for the process`,
    );
  return ok(name, `look ${SPIN_COUNT} times, then sleep`);
}

/** Looks for the LibTorch that the addon needs. Where the addon's record cannot be read, opening the addon reports that later. */
function located(env: Environment): Located {
  try {
    return locate(env, wantedLibTorch());
  } catch {
    return locate(env);
  }
}

/** Looks at everything that splitgrow needs, and changes nothing. Whatever may crash or hang runs in another process. */
export async function doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  const env = options.env ?? process.env;
  const inner = { timeoutMs: TIMEOUT_MS, ...options, env };
  const place = located(env);
  const [result, driver, python, pip, cache] = await Promise.all([
    place.found ? tryToOpen(env, inner) : null,
    readDriver(env, options.timeoutMs),
    commandFinding('python3', ['-I', '--version'], 'sudo apt-get install python3', inner),
    commandFinding('pip', pipCommand(['--version']), 'sudo apt-get install python3-pip', inner),
    cacheFinding(env, place.found !== null),
  ]);
  const opened = result !== null && isOpened(result) ? result : null;
  const findings = [
    nodeFinding(),
    ...platformFindings(),
    processorFinding(),
    memoryFinding(),
    cache,
    workingFolderFinding(),
    searchPathsFinding(env),
    python,
    pip,
    libtorchFinding(place, result),
    addonFinding(result),
    ...(opened === null ? [] : [waitingFinding(opened.trace, env)]),
    jpegFinding(result, env),
    ...gpuFindings(driver, place.found, opened),
    ranksFinding(env),
  ];
  return {
    isReady: findings.every(({ state }) => state !== 'missing'),
    findings,
    libtorch: place.found,
    tried: place.tried,
    features: opened?.features ?? null,
    driver,
    trace: opened?.trace ?? [],
  };
}
