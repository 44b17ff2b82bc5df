// Lets the fuzzing engine, whose prebuilt addon wants glibc 2.38, load where glibc is older: it uses three newer
// symbols, which a shim gives it. Nothing under node_modules is changed: a copy of the addon is.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { must, StepError } from '../steps.mjs';

const WANTED = [2, 38];

/** C23's strtol reads 0b prefixes, which libFuzzer's options have none of; older libstdc++ starts its streams by Init. */
const SHIM = `
#include <cstdlib>
#include <iostream>
extern "C" long __isoc23_strtol(const char* s, char** e, int b) { return std::strtol(s, e, b); }
extern "C" unsigned long __isoc23_strtoul(const char* s, char** e, int b) { return std::strtoul(s, e, b); }
namespace std { void ios_base_library_init() { static ios_base::Init init; } }
`;

const SHT_GNU_VERNEED = 0x6ffffffe;
const VER_FLG_WEAK = 2;

/** The 64-bit ELF library with the need for these versions made weak: the linker then looks for the symbol alone. */
export function withWeakVersions(library, versions) {
  const bytes = Buffer.from(library);
  const u64 = (at) => Number(bytes.readBigUInt64LE(at));
  const [headers, size, count] = [u64(0x28), bytes.readUInt16LE(0x3a), bytes.readUInt16LE(0x3c)];
  const section = (i) => ({
    type: bytes.readUInt32LE(headers + i * size + 4),
    offset: u64(headers + i * size + 24),
    link: bytes.readUInt32LE(headers + i * size + 40),
    info: bytes.readUInt32LE(headers + i * size + 44),
  });
  const needs = Array.from({ length: count }, (_, i) => section(i)).find((s) => s.type === SHT_GNU_VERNEED);
  if (!needs) throw new StepError('the fuzzing engine names no versions of symbols');
  const texts = section(needs.link).offset;
  const made = [];
  for (let i = 0, at = needs.offset; i < needs.info; i += 1, at += bytes.readUInt32LE(at + 12)) {
    const entries = bytes.readUInt16LE(at + 2);
    for (let k = 0, aux = at + bytes.readUInt32LE(at + 8); k < entries; k += 1) {
      const name = texts + bytes.readUInt32LE(aux + 8);
      const text = bytes.toString('latin1', name, bytes.indexOf(0, name));
      if (versions.includes(text)) {
        bytes.writeUInt16LE(bytes.readUInt16LE(aux + 4) | VER_FLG_WEAK, aux + 4);
        made.push(text);
      }
      aux += bytes.readUInt32LE(aux + 12);
    }
  }
  const missing = versions.filter((version) => !made.includes(version));
  if (missing.length > 0) throw new StepError(`the fuzzing engine does not want ${missing.join(', ')}`);
  return bytes;
}

function isOlder() {
  const [major = 0, minor = 0] = (process.report.getReport().header.glibcVersionRuntime ?? '0.0')
    .split('.')
    .map(Number);
  return major < WANTED[0] || (major === WANTED[0] && minor < WANTED[1]);
}

/** What a process of the engine needs: { env, args } for node, empty where glibc is new enough. */
export async function engineOptions(folder) {
  if (!isOlder()) return { env: {}, args: [] };
  mkdirSync(folder, { recursive: true });
  const require = createRequire(import.meta.url);
  const core = createRequire(require.resolve('@jazzer.js/core'));
  const name = `fuzzer-${process.platform}-${process.arch}.node`;
  const addon = join(dirname(core.resolve('@jazzer.js/fuzzer')), '..', 'prebuilds', name);
  const [copy, source, shim, hook] = [name, 'shim.cc', 'shim.so', 'load-copy.cjs'].map((file) =>
    join(folder, file),
  );
  writeFileSync(copy, withWeakVersions(readFileSync(addon), ['GLIBC_2.38', 'GLIBCXX_3.4.32']));
  writeFileSync(source, SHIM);
  const compiler = process.env.CXX ?? 'c++';
  await must('compiling the shim', compiler, ['-shared', '-fPIC', '-O1', '-o', shim, source]);
  writeFileSync(
    hook,
    `// Loads the copy of the engine's addon that asks for no newer glibc.
const { _extensions: kinds } = require('node:module');
const load = kinds['.node'];
kinds['.node'] = (module, file) => load(module, file.endsWith(${JSON.stringify(name)}) ? ${JSON.stringify(copy)} : file);
`,
  );
  return { env: { LD_PRELOAD: shim }, args: ['--require', hook] };
}
