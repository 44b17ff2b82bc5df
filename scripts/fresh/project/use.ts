// A user of the package in TypeScript: compiled strictly, never run.
import {
  buildPreset,
  type CostDocument,
  cost,
  type Graph,
  grow,
  isSplitgrowError,
  macs,
  type RunEvent,
  type Summary,
} from 'splitgrow';

export const graph: Graph = buildPreset('mobilenet_cifar10', { blocks: 3, width: 8 });
export const total: number = macs(graph);

export async function use(signal: AbortSignal): Promise<readonly number[]> {
  const { nodes }: CostDocument = await cost({ network: 'mobilenet_v1', width: 0.5 });
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'note') void event.text.length;
  };
  try {
    const { stages }: Summary = await grow({ experiment: 'experiment.json' }, { signal, onEvent });
    return stages.map((stage) => stage.macs + nodes.length);
  } catch (error) {
    if (isSplitgrowError(error)) return [error.exitCode];
    throw error;
  }
}

// @ts-expect-error: the types are there, and say no.
export const wrong: string = macs(graph);
