// Which part of lib/ may import which (docs/architecture.md): the pure core runs without the addon.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { filesIn, ROOT } from './steps.mjs';

const EDGES = /^lib\/(native\.ts|setup\/|experiment\/|cli\/)/;

/** Files matching `from` import nothing that matches `never`. */
const RULES = [
  { from: /^lib\/(graph|models)\//, never: EDGES },
  { from: /^lib\/(split\/(knapsack|strategy)|train\/schedule)\.ts$/, never: EDGES },
  { from: /^lib\/(split|train|data|baselines|export|setup)\//, never: /^lib\/(experiment|cli)\// },
  { from: /^lib\/disk\//, never: /^lib\/(?!disk\/|errors\.ts)/ },
  { from: /^lib\/statistics\//, never: /^lib\/(?!statistics\/|errors\.ts)/ },
  { from: /^lib\/(?!cli\/)/, never: /^lib\/cli\// },
];

/** addon.ts asks node-gyp-build for a path and opens nothing. */
const LOADERS = ['lib/native.ts', 'lib/setup/preload.ts', 'lib/setup/addon.ts'];

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;'"]*?['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)/g;

/** One line for each import that breaks a rule, or that loads the addon outside lib/native.ts. */
export function brokenImportRules() {
  const problems = [];
  for (const path of filesIn(['lib'], (name) => name.endsWith('.ts'))) {
    const file = relative(ROOT, path);
    const text = readFileSync(path, 'utf8');
    for (const match of text.matchAll(IMPORT)) {
      const target = relative(ROOT, join(dirname(path), match[1] ?? match[2])).replace(/\.js$/, '.ts');
      for (const rule of RULES) {
        if (rule.from.test(file) && rule.never.test(target))
          problems.push(`${file} must not import ${target}`);
      }
    }
    if (!LOADERS.includes(file) && /node-gyp-build'|process\.dlopen/.test(text)) {
      problems.push(`${file} must not load native code: only ${LOADERS.join(', ')} do`);
    }
  }
  return problems;
}
