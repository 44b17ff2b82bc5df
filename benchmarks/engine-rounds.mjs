// What engine.mjs measures of one network: rounds of steps of all programs, which are held ready side by side, and memory in fresh processes.
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beside, NEIGHBOURS } from './busy.mjs';
import { answersOf, HERE, mean, median, say, startWorker } from './common.mjs';
import { checkLogits } from './networks.mjs';

const WARMUP = 3;
const [ALONE] = NEIGHBOURS;
const [BUSY] = NEIGHBOURS.slice(-1);
/** For the other processes to be at work. */
const SETTLE_MS = 300;

/** What is timed of a network, as a worker is asked; PyTorch has no splitting steps, and its forward pass is eager. */
function requestsOf({ isSplit = false }, threads, repeats) {
  const timed = (step, more = {}) => ({ what: 'steps', steps: [step], repeats, warmup: WARMUP, ...more });
  const everywhere = [{ step: 'train', request: timed('train') }];
  if (!isSplit) return everywhere;
  return [
    ...everywhere,
    { step: 'forward', isEager: true, request: timed('forward') },
    { step: 'single', isEager: true, request: timed('forward', { size: 1, repeats: 5 * repeats }) },
    ...(threads === 1
      ? ['rayleigh', 'exact'].map((step) => ({ step, isOurs: true, request: timed(step) }))
      : []),
  ];
}

const isAsked = (program, { isEager = false, isOurs = false }) =>
  program.isPyTorch ? !isOurs && !(isEager && program.compile) : true;

/** Of one program: its worker, what it is like, or why it cannot be measured. */
async function started(program, folder, common) {
  const { name, command, script, env, layout, compile } = program;
  let worker;
  try {
    const options = JSON.stringify({ ...common, layout, compile });
    worker = await startWorker(command, [join(HERE, script), join(folder, 'net'), options], { env });
    const { logits } = await worker.ask({ what: 'logits' });
    const counts = program.isPyTorch ? await worker.ask({ what: 'counts' }) : worker.hello;
    // Compiles, where that is to be done.
    await worker.ask({ what: 'steps', steps: ['train'], repeats: 1, warmup: 1 });
    return { ...program, worker, logits, counts };
  } catch (error) {
    await worker?.close();
    if (!program.compile) throw error;
    say(`${name} is left out: ${error.message}`);
    return { ...program, worker: null, leftOut: error.message };
  }
}

/** All programs must run the same network. @throws */
function checkSame(title, running) {
  const [first, ...others] = running.map(({ name, counts: { macs, params } }) => ({ name, macs, params }));
  const other = others.find(({ macs, params }) => macs !== first.macs || params !== first.params);
  if (other !== undefined)
    throw new Error(`${title}: the programs differ: ${JSON.stringify(first)}, ${JSON.stringify(other)}`);
  const logits = running.map(({ logits: found }) => found);
  return { macs: first.macs, params: first.params, logitDifference: checkLogits(title, logits) };
}

const turned = (list, by) => [...list.slice(by % list.length), ...list.slice(0, by % list.length)];

/** Rounds of every request to every program; each round begins with another program. */
async function roundsOf(running, requests, { rounds, neighbour, title }) {
  const found = new Map();
  for (let round = 0; round < rounds; round += 1) {
    say(`${title}: round ${round + 1} of ${rounds} (load ${loadavg()[0].toFixed(1)})`);
    await beside(neighbour, async () => {
      if (neighbour === BUSY) await setTimeout(SETTLE_MS);
      for (const request of requests)
        for (const program of turned(running, round).filter((one) => isAsked(one, request))) {
          const { steps } = await program.worker.ask(request.request);
          const { milliseconds } = Object.values(steps)[0];
          const key = `${program.name} ${request.step}`;
          const row = found.get(key) ?? {
            ...{ program: program.name, isPyTorch: program.isPyTorch, step: request.step, rounds: [] },
          };
          row.rounds.push({ milliseconds, medianMs: median(milliseconds), meanMs: mean(milliseconds) });
          found.set(key, row);
        }
    });
  }
  return [...found.values()];
}

/** The times of one network with so many threads, what it is like, and the programs that could not be measured. */
export async function timesOf(network, threads, { folder, programs, size }) {
  const common = { device: 'cpu', threads, batch: network.batch };
  const all = [];
  try {
    for (const program of programs) {
      say(`${network.title}, ${threads} threads: starting ${program.name}`);
      all.push(await started(program, folder, common));
    }
    const running = all.filter(({ worker }) => worker !== null);
    const facts = checkSame(network.title, running);
    const requests = requestsOf(network, threads, size.repeats);
    const title = `${network.title}, ${threads} threads`;
    const alone = await roundsOf(running, requests, {
      ...{ rounds: size.rounds, neighbour: ALONE, title },
    });
    const isCrowded = network.isSplit && threads === availableParallelism();
    const busy = isCrowded
      ? await roundsOf(running, [requests[0]], {
          ...{ rounds: size.rounds, neighbour: BUSY, title: `${title}, ${BUSY.name}` },
        })
      : [];
    const rows = [
      ...alone.map((row) => ({ isBusy: false, ...row })),
      ...busy.map((row) => ({ isBusy: true, ...row })),
    ];
    const leftOut = all.flatMap(({ name, leftOut: reason }) => (reason ? [{ program: name, reason }] : []));
    return { facts, hello: running[0].worker.hello, leftOut, rows };
  } finally {
    for (const { worker } of all) await worker?.close();
  }
}

/** How far a program's resident memory rises in its first training steps, each time in a fresh process; and what its tensors hold in one. */
export async function memoryOf(program, network, { folder, threads, size }) {
  const { name, command, script, env, layout, compile, isPyTorch } = program;
  const options = JSON.stringify({ device: 'cpu', threads, batch: network.batch, layout, compile });
  const [residentBytes, tensorBytes] = [[], []];
  for (let run = 0; run < size.memoryRuns; run += 1) {
    const found = await answersOf(
      command,
      [join(HERE, script), join(folder, 'net'), options],
      [
        { what: 'resident', repeats: size.memorySteps },
        { what: 'steps', steps: ['train'], repeats: 1, warmup: 0, peak: true },
      ],
      { env },
    );
    residentBytes.push(found.residentBytes);
    tensorBytes.push(found.steps.train.peakBytes);
  }
  return { program: name, isPyTorch, residentBytes, tensorBytes };
}
