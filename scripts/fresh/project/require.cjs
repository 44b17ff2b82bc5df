// A user of the package in CommonJS, where Node.js requires ES modules: from 22.12 on.
const { bench, buildPreset, macs } = require('splitgrow');

async function main() {
  const graph = buildPreset('mobilenet_cifar10', { blocks: 3, width: 8 });
  const { forward } = await bench({ network: 'mobilenet_cifar10', batchSize: 4, repeats: 1, threads: 1 });
  process.stdout.write(JSON.stringify({ macs: macs(graph), isTimed: forward.medianMs > 0 }));
}

void main();
