// The package in a Worker while the main thread has it open too.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { bench } from 'splitgrow';

const options = { network: 'mobilenet_cifar10', batchSize: 4, repeats: 1, threads: 1 };
const { forward } = await bench(options);
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  const ended = new Promise((resolve) => {
    worker.once('exit', resolve);
  });
  const inWorker = await new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  const exitCode = await ended;
  process.stdout.write(JSON.stringify({ main: forward.medianMs > 0, worker: inWorker > 0, exitCode }));
} else {
  parentPort.postMessage(forward.medianMs);
}
