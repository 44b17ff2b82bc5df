// Which part of the core multiplies on this machine.
import { core } from '../golden.js';

/** Instruction set of the CPU engine; empty where LibTorch's operators do the work. */
export function engineOf(): string {
  const engine: unknown = Reflect.get(core().features(), 'engine');
  return typeof engine === 'string' ? engine : '';
}
