// A user of the package as an ES module: what needs no LibTorch (`pure`), or a step of training (`native`).
import { bench, buildPreset, isSplitgrowError, macs } from 'splitgrow';

const graph = buildPreset('mobilenet_cifar10', { blocks: 3, width: 8 });
const report = { macs: macs(graph) };
try {
  if (process.argv[2] === 'native') {
    const { forward, threads } = await bench({
      network: 'mobilenet_cifar10',
      batchSize: 4,
      repeats: 1,
      threads: 1,
    });
    Object.assign(report, { isTimed: forward.medianMs > 0, threads });
  }
} catch (error) {
  Object.assign(report, { code: isSplitgrowError(error) ? error.code : 'not ours', message: error.message });
}
process.stdout.write(JSON.stringify(report));
