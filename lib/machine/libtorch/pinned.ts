// The one table of pinned versions: which LibTorch, from which wheels, with which hashes.

export const LIBTORCH_VERSION = '2.11.0';
export const CUDA_MAJOR = 13;

/** What to run when LibTorch, the addon or the JavaScript is missing. */
export const REMEDIES = {
  setup: 'npx splitgrow setup',
  setupForce: 'npx splitgrow setup --force',
  setupCuda: 'npx splitgrow setup --cuda',
  build: 'npx splitgrow build',
  buildCuda: 'npx splitgrow build --cuda',
} as const;

export interface Wheel {
  readonly requirement: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Regular expressions of the members to keep. Each must fit a whole name. */
  readonly keep: readonly string[];
}

export interface Release {
  readonly wheels: readonly Wheel[];
  /** Bytes that the unpacked files take. */
  readonly unpackedBytes: number;
}

const LICENCES = String.raw`[^/]+\.dist-info/licenses/.*`;

/** By `process.platform-process.arch`. */
export const RELEASES: Readonly<Record<string, Release>> = {
  'linux-x64': {
    unpackedBytes: 498_000_000,
    wheels: [
      {
        requirement: `torch==${LIBTORCH_VERSION}`,
        file: 'torch-2.11.0-cp312-cp312-manylinux_2_28_x86_64.whl',
        bytes: 530_712_279,
        sha256: '0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756',
        keep: [
          String.raw`torch/lib/(libtorch_cpu|libc10|libgomp[^/]*)\.so[.0-9]*`,
          'torch/include/.*',
          String.raw`torch/version\.py`,
          LICENCES,
        ],
      },
      {
        requirement: 'nvidia-cuda-runtime==13.0.96',
        file: 'nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
        bytes: 2_243_632,
        sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
        keep: [String.raw`nvidia/cu13/lib/libcudart\.so\.13`, LICENCES],
      },
      {
        requirement: 'nvidia-cuda-cupti==13.0.85',
        file: 'nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl',
        bytes: 10_715_597,
        sha256: '4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8',
        keep: [String.raw`nvidia/cu13/lib/libcupti\.so\.13`, LICENCES],
      },
    ],
  },
};
