// memory: what native tensors hold, by kind of handle and by device.
import type { HandleCounters, MemoryCounters } from '../native/face.js';
import { loadCore } from '../native/load.js';

/** What native memory is in use; the heap of JavaScript is not part of it. */
export interface MemoryReport {
  /**
   * Objects of this thread that are not disposed of, by kind: how many, and the bytes of their tensors (a Worker has its own).
   * What a call in progress needs besides is in `cpu` and `cuda` alone.
   */
  readonly handles: readonly HandleCounters[];
  /** Of the whole process. */
  readonly cpu: MemoryCounters;
  /** Of the whole process, on its first GPU; null where LibTorch has no CUDA or there is no GPU. */
  readonly cuda: MemoryCounters | null;
}

/**
 * Bytes that native tensors hold now, and the most they have held. Takes well below a millisecond.
 *
 * @throws E_LIBTORCH, E_ADDON where the addon does not load
 */
export function memory(): MemoryReport {
  const core = loadCore();
  const { cuda } = core.features();
  return { handles: core.handles(), cpu: core.memory('cpu'), cuda: cuda ? core.memory('cuda') : null };
}
