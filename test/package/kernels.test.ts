// The reader of assembly that tells whether a tile keeps its sums in registers.
import { expect, test } from 'vitest';
import { tilesOf } from '../../scripts/check-kernels.mjs';

const X86 = `
\t.type\t_ZN12_GLOBAL__N_17forwardEv, @function
_ZN12_GLOBAL__N_17forwardEv:
\tvmovaps\t%zmm9, 64(%rsp)
.L2:
\tmovq\t%rax, %rdx
.L3:
\tvmovups\t(%rdx), %zmm0
${'\tvfmadd231ps\t%zmm0, %zmm1, %zmm2\n'.repeat(6)}\tvmovaps\t%zmm2, 128(%rsp)
\tvmovaps\t192(%rsp), %zmm3
\tcmpq\t%rdx, %rcx
\tjne\t.L3
\tjmp\t.L2
`;
const ARM = `
\t.type\t_ZN12_GLOBAL__N_15outerEv,@function
_ZN12_GLOBAL__N_15outerEv:
.LBB0_1:
\tldp\tq1, q2, [x0], #32
${'\tfmla\tv3.4s, v1.4s, v2.s[0]\n'.repeat(8)}\tstr\tq3, [sp, #16]
\tb.ne\t.LBB0_1
`;

test('stores of vectors in an innermost loop are counted, those before it and reads are not', () => {
  const name = '_ZN12_GLOBAL__N_17forwardEv';
  expect(tilesOf(X86)).toEqual([{ name, multiplyAdds: 6, instructions: 11, spills: 1 }]);
});

test('products of pairs in bfloat16 are multiply-adds', () => {
  expect(tilesOf(X86.replaceAll('vfmadd231ps', 'vdpbf16ps'))).toEqual(tilesOf(X86));
});

test('the same on arm64', () => {
  const name = '_ZN12_GLOBAL__N_15outerEv';
  expect(tilesOf(ARM)).toEqual([{ name, multiplyAdds: 8, instructions: 11, spills: 1 }]);
});

test('loops of other functions, and loops with few multiply-adds, are no tiles', () => {
  expect(tilesOf(X86.replaceAll('7forwardE', '5valueE'))).toEqual([]);
  expect(tilesOf(X86.replaceAll('vfmadd231ps', 'vaddps'))).toEqual([]);
});
