// A user of the package in CommonJS, on any Node.js that is served.
async function main() {
  const { bench, buildPreset, macs } = await import('splitgrow');
  const graph = buildPreset('mobilenet_cifar10', { blocks: 3, width: 8 });
  const { forward } = await bench({ network: 'mobilenet_cifar10', batchSize: 4, repeats: 1, threads: 1 });
  process.stdout.write(JSON.stringify({ macs: macs(graph), isTimed: forward.medianMs > 0 }));
}

void main();
