// Whether the engine's products keep their sums in registers: npm run check:kernels [-- --compiler "COMMAND" --target TRIPLE]
// Compiles the engine's loops to assembly for each instruction set, and counts the vectors that innermost loops of
// multiply-adds write to the stack. Another compiler may be named: "python3 -m ziglang c++" is Clang, for arm64 too.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { main, must, ROOT, StepError, say } from './steps.mjs';

/** An innermost loop with fewer multiply-adds is no tile. */
const TILE = 6;

const AVX512 = '-mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma -mprefer-vector-width=512';
/** By instruction set: flags, as in CMakeLists.txt. */
const SETS = {
  avx512_bf16: `${AVX512} -mavx512bf16`,
  avx512: AVX512,
  avx2: '-mavx2 -mfma',
  baseline: '',
};
/** The loops of kernels.h whose tiles take most of the time, as they stand in the compiler's names of functions. */
const PRODUCTS = /\d(forward|backward|scaled|outer|matrices|dense)[ER]/;
const FLAGS =
  '-std=c++20 -O3 -fPIC -fno-math-errno -fno-trapping-math -ffp-contract=fast -w -fno-asynchronous-unwind-tables';

const MULTIPLY_ADD = /^\s*(vfn?m(add|sub)\d+ps|fml[as]\s|mulps|vmulps|vdpbf16ps)/;
/** A vector register that is written to the stack, in the notation of x86-64 and of arm64. */
const SPILL = /^\s*v?mov\w+\s+%[xyz]mm\d+, -?[\dx]*\(%r[sb]p|^\s*st[rp]\s+q\d+.*\[(sp|x29)/;
const JUMP = /^\s*(j[a-z]+|b(?:\.[a-z]+)?|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#?\d+,)\s+(\.L[\w$.]+)/;

/** The innermost loops of an assembly text: [first line, last line]. */
function innermostLoops(lines) {
  const places = new Map();
  lines.forEach((line, at) => {
    const label = /^(\.L[\w$.]+):/.exec(line);
    if (label !== null) places.set(label[1], at);
  });
  const loops = lines.flatMap((line, at) => {
    const from = places.get(JUMP.exec(line)?.[2]);
    return from !== undefined && from < at ? [[from, at]] : [];
  });
  return loops.filter(([from, to]) => !loops.some(([a, b]) => a >= from && b <= to && (a > from || b < to)));
}

/** The function that line `at` is part of, as the compiler names it. */
function functionAt(lines, at) {
  for (let i = at; i >= 0; i -= 1) {
    const type = /^\s*\.type\s+([\w$.]+), ?[@%]function/.exec(lines[i]);
    if (type !== null) return type[1];
  }
  return '';
}

/** Tiles of products in an assembly text: multiply-adds, instructions, and vectors written to the stack. */
export function tilesOf(text) {
  const lines = text.split('\n');
  return innermostLoops(lines)
    .map(([from, to]) => {
      const body = lines.slice(from, to + 1).filter((line) => /^\s+[a-z]/.test(line));
      return {
        name: functionAt(lines, from),
        multiplyAdds: body.filter((line) => MULTIPLY_ADD.test(line)).length,
        instructions: body.length,
        spills: body.filter((line) => SPILL.test(line)).length,
      };
    })
    .filter(({ name, multiplyAdds }) => multiplyAdds >= TILE && PRODUCTS.test(name));
}

export async function checkKernels(words) {
  const { values } = parseArgs({
    args: words,
    options: { compiler: { type: 'string', default: process.env.CXX ?? 'c++' }, target: { type: 'string' } },
  });
  const [program, ...first] = values.compiler.split(' ');
  const isArm = values.target?.startsWith('aarch64') ?? process.arch === 'arm64';
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-kernels-'));
  try {
    let bad = 0;
    for (const [name, flags] of Object.entries(SETS)) {
      if (isArm && name !== 'baseline') continue;
      const source = join(ROOT, 'native/core/engine/kernels', `kernels_${name}.cc`);
      const out = join(folder, `${name}.s`);
      const target = values.target === undefined ? [] : ['-target', values.target];
      await must(`assembly of ${name}`, program, [
        ...[...first, ...target, ...FLAGS.split(' '), ...flags.split(' ').filter(Boolean)],
        ...['-I', join(ROOT, 'native/core'), '-S', '-o', out, source],
      ]);
      const tiles = tilesOf(readFileSync(out, 'utf8'));
      if (tiles.length === 0) throw new StepError(`${name}: expected loops of multiply-adds, found none`);
      const spilled = tiles.filter(({ spills }) => spills > 0);
      bad += spilled.length;
      say(`${name}: ${tiles.length} tiles, ${spilled.length} write vectors to the stack`);
      for (const tile of spilled) say(`  ${tile.name}: ${tile.spills} of ${tile.instructions} instructions`);
    }
    if (bad > 0) throw new StepError(`expected sums in registers, found ${bad} tiles that use the stack`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) await main(() => checkKernels(process.argv.slice(2)));
