// The wheels that native/cuda is compiled with where no CUDA toolkit is: NVIDIA's compiler, and the headers that
// LibTorch's own headers include. The versions are those of the pinned LibTorch's requirements.
import type { Release, Wheel } from './pinned.js';

export const KIT_VERSION = '13.0.88';

const LICENCES = String.raw`[^/]+\.dist-info/licenses/.*`;
const PLATFORM = 'manylinux2014_x86_64.manylinux_2_17_x86_64';

/** Downloaded whole. */
export const CUDA_KIT: Release = {
  unpackedBytes: 180_000_000,
  wheels: [
    {
      requirement: 'nvidia-cuda-nvcc==13.0.88',
      file: `nvidia_cuda_nvcc-13.0.88-py3-none-${PLATFORM}.whl`,
      bytes: 37_384_532,
      sha256: '56fe502eb77625a12f25172caa3cdddb4e4c8ba2c8c17dba44b164761b380f03',
      keep: [
        String.raw`nvidia/cu13/bin/(nvcc|nvcc\.profile|cudafe\+\+|ptxas|fatbinary|bin2c|crt/.*)`,
        'nvidia/cu13/include/.*',
        LICENCES,
      ],
    },
    {
      requirement: 'nvidia-nvvm==13.0.88',
      file: 'nvidia_nvvm-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
      bytes: 61_601_415,
      sha256: 'c5f41ffeb6466944a026dfa5317d7d85355c119bbec279205d22f1869d1054e0',
      keep: ['nvidia/cu13/nvvm/.*', LICENCES],
    },
    {
      requirement: 'nvidia-cuda-crt==13.0.88',
      file: `nvidia_cuda_crt-13.0.88-py3-none-${PLATFORM}.whl`,
      bytes: 134_086,
      sha256: '2c8043c7c9e02492716426e9919fc78d2c5b3b2a7a768a88e952676b08aa55a4',
      keep: ['nvidia/cu13/include/.*', LICENCES],
    },
    {
      requirement: 'nvidia-cuda-cccl==13.0.85',
      file: `nvidia_cuda_cccl-13.0.85-py3-none-${PLATFORM}.whl`,
      bytes: 3_120_526,
      sha256: 'e0da7ad981f3a8aff08241b5bfc1af868742a63e2762f53a5171c492ef242649',
      // Of the rest, CUB and Thrust, nothing is included.
      keep: ['nvidia/cu13/include/nv/.*', LICENCES],
    },
    {
      requirement: 'nvidia-cuda-runtime==13.0.96',
      file: `nvidia_cuda_runtime-13.0.96-py3-none-${PLATFORM}.whl`,
      bytes: 2_243_632,
      sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
      keep: ['nvidia/cu13/include/.*', LICENCES],
    },
  ],
};

const HEADERS = [String.raw`nvidia/cu13/include/[^/]+\.h`];

/** Only these members are read out of the wheels, which take 1 GB together. */
export const CUDA_HEADERS: { readonly wheels: readonly Wheel[]; readonly sha256: string } = {
  wheels: [
    {
      requirement: 'nvidia-cublas==13.1.0.3',
      file: 'nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_x86_64.whl',
      bytes: 423_133_236,
      sha256: 'ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171',
      keep: HEADERS,
    },
    {
      requirement: 'nvidia-cusparse==12.6.3.3',
      file: `nvidia_cusparse-12.6.3.3-py3-none-${PLATFORM}.whl`,
      bytes: 145_942_937,
      sha256: '2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b',
      keep: HEADERS,
    },
    {
      requirement: 'nvidia-cusolver==12.0.4.66',
      file: 'nvidia_cusolver-12.0.4.66-py3-none-manylinux_2_27_x86_64.whl',
      bytes: 200_941_980,
      sha256: '0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112',
      keep: HEADERS,
    },
    {
      requirement: 'nvidia-nccl-cu13==2.28.9',
      file: 'nvidia_nccl_cu13-2.28.9-py3-none-manylinux_2_18_x86_64.whl',
      bytes: 196_493_177,
      sha256: 'e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42',
      keep: [String.raw`nvidia/nccl/include/nccl\.h`],
    },
  ],
  /** SHA-256 over name and bytes of all of them, by name. */
  sha256: '0ee1ca1636c2e3b29a3d6639963453146cc406b7e9f8fa5a332099ae39db52f9',
};
