// What setup --cuda fetches besides the CPU's LibTorch: the CUDA half of the torch wheel, and NVIDIA's libraries that it needs.
import { RELEASES, type Release, type Wheel } from './pinned.js';

const LICENCES = String.raw`[^/]+\.dist-info/licenses/.*`;

/** Libraries of the torch wheel that only a GPU needs; libtorch_cuda opens the last two itself, when it needs them. */
const TORCH_CUDA = String.raw`torch/lib/(libc10_cuda|libtorch_cuda|libtorch_nvshmem|libtorch_cuda_linalg|libcaffe2_nvrtc)\.so`;

/** A wheel of NVIDIA, of which the libraries of these names are kept. */
function wheel(
  requirement: string,
  tag: string,
  bytes: number,
  sha256: string,
  folder: string,
  libraries: string,
): Wheel {
  const [name = '', version = ''] = requirement.split('==');
  return {
    requirement,
    file: `${name.replaceAll('-', '_')}-${version}-py3-none-${tag}.whl`,
    bytes,
    sha256,
    keep: [`nvidia/${folder}/lib/${libraries}`, LICENCES],
  };
}

const MANYLINUX_2014 = 'manylinux2014_x86_64';
const MANYLINUX_2_17 = 'manylinux2014_x86_64.manylinux_2_17_x86_64';
const MANYLINUX_2_12 = 'manylinux2010_x86_64.manylinux_2_12_x86_64';
const MANYLINUX_2_27 = 'manylinux_2_27_x86_64';

/** torch 2.11.0's requirements for Linux, without nvidia-nvtx, which no library needs, and without those that only Python uses. */
const LIBRARIES: readonly Wheel[] = [
  wheel(
    'nvidia-cublas==13.1.0.3',
    MANYLINUX_2_27,
    423_133_236,
    'ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171',
    'cu13',
    String.raw`libcublas(Lt)?\.so\.13`,
  ),
  wheel(
    'nvidia-cudnn-cu13==9.19.0.56',
    MANYLINUX_2_27,
    366_066_321,
    'd20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf',
    'cudnn',
    String.raw`libcudnn[_a-z]*\.so\.9`,
  ),
  wheel(
    'nvidia-cufft==12.0.0.61',
    MANYLINUX_2_17,
    214_085_489,
    '6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3',
    'cu13',
    String.raw`libcufft\.so\.12`,
  ),
  wheel(
    'nvidia-cusolver==12.0.4.66',
    MANYLINUX_2_27,
    200_941_980,
    '0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112',
    'cu13',
    String.raw`libcusolver\.so\.12`,
  ),
  wheel(
    'nvidia-nccl-cu13==2.28.9',
    'manylinux_2_18_x86_64',
    196_493_177,
    'e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42',
    'nccl',
    String.raw`libnccl\.so\.2`,
  ),
  wheel(
    'nvidia-cusparselt-cu13==0.8.0',
    MANYLINUX_2014,
    169_884_119,
    '25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd',
    'cusparselt',
    String.raw`libcusparseLt\.so\.0`,
  ),
  wheel(
    'nvidia-cusparse==12.6.3.3',
    MANYLINUX_2_17,
    145_942_937,
    '2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b',
    'cu13',
    String.raw`libcusparse\.so\.12`,
  ),
  wheel(
    'nvidia-cuda-nvrtc==13.0.88',
    MANYLINUX_2_12,
    90_215_200,
    'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
    'cu13',
    String.raw`libnvrtc(-builtins)?\.so\.13(\.0)?`,
  ),
  wheel(
    'nvidia-nvshmem-cu13==3.4.5',
    MANYLINUX_2_17,
    60_412_546,
    '290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80',
    'nvshmem',
    String.raw`libnvshmem_host\.so\.3`,
  ),
  wheel(
    'nvidia-curand==10.4.0.35',
    MANYLINUX_2_27,
    59_544_258,
    '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
    'cu13',
    String.raw`libcurand\.so\.10`,
  ),
  wheel(
    'nvidia-nvjitlink==13.0.88',
    MANYLINUX_2_12,
    40_713_933,
    '13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b',
    'cu13',
    String.raw`libnvJitLink\.so\.13`,
  ),
  wheel(
    'nvidia-cufile==1.15.1.6',
    MANYLINUX_2_17,
    1_223_672,
    '08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44',
    'cu13',
    String.raw`libcufile\.so\.0`,
  ),
];

function withCuda(cpu: Release): Release {
  const [torch, ...others] = cpu.wheels;
  if (torch === undefined) throw new Error('a release begins with torch');
  return {
    ...cpu,
    unpackedBytes: 3_533_000_000,
    wheels: [{ ...torch, keep: [...torch.keep, TORCH_CUDA] }, ...others, ...LIBRARIES],
  };
}

/** The wheels for CPU and GPU together, by `process.platform-process.arch`. */
export const CUDA_RELEASES: Readonly<Record<string, Release>> = Object.fromEntries(
  Object.entries(RELEASES).map(([key, release]) => [key, withCuda(release)]),
);
