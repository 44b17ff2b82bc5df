// Whether splitgrow can run on a machine: its system, processor and C library. This is checked before any library is opened.
import { existsSync, readFileSync } from 'node:fs';
import { SplitgrowError } from '../errors.js';

/** What must be known of a machine. Tests make up their own. */
export interface Machine {
  /** As `process.platform` has it. */
  readonly platform: string;
  /** As `process.arch` has it. */
  readonly arch: string;
  /** Version of the GNU C library, for example 2.36; null where Node.js uses another one (musl). */
  readonly glibc: string | null;
  /** The processor's features as /proc/cpuinfo names them; null where that file is missing. */
  readonly cpuFlags: readonly string[] | null;
}

/** One reason why splitgrow cannot run. */
export interface MachineFault {
  readonly what: 'system' | 'processor' | 'C library' | 'instruction set';
  readonly expected: string;
  readonly found: string;
  readonly remedy: string;
}

/** The oldest GNU C library that the addon and LibTorch ask for. */
export const GLIBC_FLOOR = '2.28';

/** Processors (`process.arch`) that LibTorch exists for. For x64 the addon is prebuilt; for the others it must be compiled. */
export const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

/** True where `version` is `floor` or later. Both are numbers with points between them, such as 2.28. */
export function isAtLeast(version: string, floor: string): boolean {
  const [left, right] = [version, floor].map((text) =>
    text.split('.').map((part) => Number.parseInt(part, 10)),
  );
  for (const [i, wanted] of (right ?? []).entries()) {
    const has = left?.[i] ?? 0;
    if (has !== wanted) return has > wanted;
  }
  return true;
}

/** Each row is one requirement: whether a machine meets it, and what the message says where it does not. */
const RULES: readonly {
  readonly what: MachineFault['what'];
  readonly expected: string;
  readonly isMet: (machine: Machine) => boolean;
  readonly found: (machine: Machine) => string;
  readonly remedy: string;
}[] = [
  {
    what: 'system',
    expected: 'Linux',
    isMet: ({ platform }) => platform === 'linux',
    found: ({ platform }) => platform,
    remedy: 'use Linux, a Linux container, or WSL 2 on Windows',
  },
  {
    what: 'processor',
    expected: `64 bits: ${ARCHITECTURES.join(' or ')}`,
    isMet: ({ arch }) => ARCHITECTURES.includes(arch),
    found: ({ arch }) => `Node.js for ${arch}`,
    remedy: `install Node.js for ${ARCHITECTURES.join(' or ')}`,
  },
  {
    what: 'C library',
    expected: `glibc ${GLIBC_FLOOR} or newer`,
    isMet: ({ platform, glibc }) => platform !== 'linux' || glibc !== null,
    found: () => 'none: Node.js uses another C library, such as musl (Alpine)',
    remedy: 'use an image with glibc, such as node:22-bookworm-slim',
  },
  {
    what: 'C library',
    expected: `glibc ${GLIBC_FLOOR} or newer`,
    isMet: ({ glibc }) => glibc === null || isAtLeast(glibc, GLIBC_FLOOR),
    found: ({ glibc }) => `glibc ${glibc}`,
    remedy: 'use a newer system: Debian 10, Ubuntu 18.10, RHEL 8 or later',
  },
  {
    what: 'instruction set',
    expected: 'a processor with AVX2',
    isMet: ({ arch, cpuFlags }) => arch !== 'x64' || cpuFlags === null || cpuFlags.includes('avx2'),
    found: () => 'one without (/proc/cpuinfo)',
    remedy: 'use another machine, or a virtual machine that passes the host processor through',
  },
];

/** The version of the GNU C library in use. The report is told to leave out the network: looking up names can take seconds. */
function glibcVersion(): string | null {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return header?.glibcVersionRuntime ?? null;
  } finally {
    if (before !== undefined) report.excludeNetwork = before;
  }
}

/** The features of the first processor in `text`, the content of /proc/cpuinfo; null where it names none. */
export function cpuFlagsOf(text: string): readonly string[] | null {
  return /^(?:flags|Features)\s*:\s*(.+)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? null;
}

let here: Machine | null = null;

/** This machine. It is looked at once in each process. */
export function thisMachine(): Machine {
  here ??= {
    platform: process.platform,
    arch: process.arch,
    glibc: process.platform === 'linux' ? glibcVersion() : null,
    cpuFlags: existsSync('/proc/cpuinfo') ? cpuFlagsOf(readFileSync('/proc/cpuinfo', 'utf8')) : null,
  };
  return here;
}

/** Everything that keeps splitgrow from running on `machine`; empty where it can. */
export function machineFaults(machine: Machine = thisMachine()): readonly MachineFault[] {
  return RULES.filter((rule) => !rule.isMet(machine)).map(({ what, expected, found, remedy }) => ({
    what,
    expected,
    found: found(machine),
    remedy,
  }));
}

/**
 * Does nothing on a machine that splitgrow can run on.
 * @throws E_MACHINE with every fault and its remedy
 */
export function requireMachine(machine: Machine = thisMachine()): void {
  const faults = machineFaults(machine);
  if (faults.length === 0) return;
  const told = faults.map(({ expected, found, remedy }) => `expected ${expected}, found ${found}; ${remedy}`);
  throw new SplitgrowError('E_MACHINE', `splitgrow cannot run here: ${told.join('. Also: ')}`);
}
