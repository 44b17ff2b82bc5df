// One process of benchmarks/selection.mjs: how long loading the addon takes, from its first import on.
const start = performance.now();
const { loadCore } = await import('../dist/native/load.js');
const imported = performance.now();
const { libtorch, cpuCapability } = loadCore().features();
const loaded = performance.now();
const text = JSON.stringify({
  importMs: imported - start,
  loadMs: loaded - imported,
  libtorch,
  cpuCapability,
});
process.stdout.write(`${text}\n`);
