// The part of the core that counts memory and energy.
import type { Device } from './core.js';

/** Bytes on one device. */
export interface MemoryCounters {
  /** Bytes that tensors hold, and the most they have held since the process began. */
  readonly allocated: number;
  /** The most that tensors have held since the process began, or since `bench` last asked anew. */
  readonly peak: number;
  /** Bytes taken from the device or the system, those that wait to be used again too. */
  readonly reserved: number;
  /** Of the whole GPU, other processes' memory counted; null on the CPU and before the GPU's first use. */
  readonly free: number | null;
  /** Likewise. */
  readonly total: number | null;
}

/** Live handles of one kind. */
export interface HandleCounters {
  /** `network`, `dataset`, `directions`, `indices-state`, `abort` or `pause`. */
  readonly kind: string;
  /** How many are not disposed of. */
  readonly handles: number;
  /** Of the tensors they hold; of a network at work, of its weights, gradients and statistics alone. */
  readonly bytes: number;
}

/** One GPU of the machine; null where it does not tell. */
export interface GpuCounters {
  readonly uuid: string;
  readonly name: string;
  /** Since the driver was loaded: differences count. */
  readonly joules: number | null;
  readonly watts: number | null;
  /** Per cent of NVML's last sampling period in which a kernel ran. */
  readonly utilisation: number | null;
}

export interface CounterCore {
  memory(device: Device): MemoryCounters;
  /** A row a kind, by name, of this environment. */
  handles(): readonly HandleCounters[];
  /** Gives memory that waits to be used again back to the system and to the GPUs. */
  emptyCache(): void;
  /** A row for every GPU of the machine, in NVML's order; none where there is no driver. */
  energy(): readonly GpuCounters[];
}
