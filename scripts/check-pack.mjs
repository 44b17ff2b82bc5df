// Whether the npm package holds what it needs and nothing else: node scripts/check-pack.mjs
import { pathToFileURL } from 'node:url';
import { main, must, ROOT, StepError, say } from './steps.mjs';

/** What ships, and why. A file that no row describes is refused, and so is a package without a file of a needed row. */
export const PARTS = [
  { files: /^package\.json$/, why: 'npm asks for it', isNeeded: true },
  { files: /^(README|CHANGELOG)\.md$/, why: 'what it is, and what changed', isNeeded: true },
  { files: /^LICENSE$/, why: 'MIT asks for it', isNeeded: true },
  { files: /^LICENCES\.md$/, why: 'the licences of everything that comes along', isNeeded: true },
  { files: /^dist\/([\w-]+\/)*[\w-]+\.js$/, why: 'the library and the command', isNeeded: true },
  { files: /^dist\/([\w-]+\/)*[\w-]+\.d\.ts$/, why: 'its types', isNeeded: true },
  { files: /^prebuilds\/linux-x64\/splitgrow\.node$/, why: 'the loader', isNeeded: true, isMade: true },
  { files: /^prebuilds\/linux-x64\/splitgrow_core\.so$/, why: 'what computes', isNeeded: true, isMade: true },
  { files: /^prebuilds\/linux-x64\/splitgrow_cuda\.so$/, why: 'what computes on GPUs' },
  {
    files: /^prebuilds\/linux-x64\/libturbojpeg\.so\.0$/,
    why: 'reads image files',
    isNeeded: true,
    isMade: true,
  },
  {
    files: /^prebuilds\/linux-x64\/libjpeg-turbo\.md$/,
    why: 'its licences ask for it',
    isNeeded: true,
    isMade: true,
  },
  {
    files: /^python\/isolated\.py$/,
    why: 'asks pip for its settings, and Python for its PyTorch',
    isNeeded: true,
  },
  { files: /^CMakeLists\.txt$/, why: 'splitgrow build', isNeeded: true },
  {
    files:
      /^native\/(loader|core|floor|declarations|cuda(?!\/twin))\/([\w-]+\/)*([\w-]+\.(cc|cu|cuh|h|hpp|inc)|CMakeLists\.txt)$/,
    why: 'splitgrow build compiles it',
    isNeeded: true,
  },
  {
    files: /^data\/fashion-mnist\/(t10k-[\w-]+\.gz|LICENSE[\w.]*|README\.md)$/,
    why: 'the first script of the README and experiments/demo.json grow a network on it, without a download',
    isNeeded: true,
  },
  {
    files: /^experiments\/([\w-]+\/)*[\w-]+\.json$/,
    why: 'the figures of splitgrow reproduce, and examples to copy',
    isNeeded: true,
  },
  {
    files: /^schema\/\w+\.schema\.json$/,
    why: 'editors complete and check experiment and network files by it',
    isNeeded: true,
  },
  { files: /^docs\/[\w-]+\.md$/, why: 'the pages that the README and messages name', isNeeded: true },
  { files: /^docs\/images\/[\w-]+\.svg$/, why: 'the pictures of those pages', isNeeded: true },
];

/** Bytes. The 4.4 MB of Fashion-MNIST hardly compress. */
export const LIMITS = { packed: 8_000_000, unpacked: 16_000_000 };

/**
 * One line for each file that no row describes, row without a file, and size above its limit.
 * `isWhole`: what npm run prebuild makes has to be there too.
 */
export function packProblems({ files, size, unpackedSize }, { isWhole = true } = {}) {
  const paths = files.map(({ path }) => path);
  const unknown = paths.filter((path) => !PARTS.some((part) => part.files.test(path)));
  const missing = PARTS.filter(
    (part) => part.isNeeded && (isWhole || !part.isMade) && !paths.some((path) => part.files.test(path)),
  );
  const sizes = { packed: size, unpacked: unpackedSize };
  return [
    ...unknown.map((path) => `${path}: no row of PARTS says why it ships`),
    ...missing.map((part) => `no file ${part.files.source}: ${part.why}`),
    ...Object.entries(LIMITS)
      .filter(([name, limit]) => sizes[name] > limit)
      .map(([name, limit]) => `${sizes[name]} bytes ${name}, expected at most ${limit}`),
  ];
}

/** What `npm pack` would put into the package. */
export async function packList() {
  const output = await must(
    'npm pack',
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel', 'error'],
    {
      cwd: ROOT,
    },
  );
  return JSON.parse(output)[0];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const list = await packList();
    const problems = packProblems(list);
    if (problems.length > 0)
      throw new StepError(`the package is not as it should be:\n${problems.map((p) => `  ${p}`).join('\n')}`);
    for (const { files, why } of PARTS) {
      const held = list.files.filter(({ path }) => files.test(path));
      const bytes = held.reduce((sum, { size }) => sum + size, 0);
      say(`${String(held.length).padStart(4)} files ${String(bytes).padStart(9)} bytes  ${why}`);
    }
    say(
      `${list.files.length} files, packed ${list.size} bytes (limit ${LIMITS.packed}), unpacked ${list.unpackedSize} (limit ${LIMITS.unpacked})`,
    );
  });
}
