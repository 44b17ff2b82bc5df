// How far splitting indices are from the exact ones.

interface Layer {
  readonly indices: ArrayLike<number>;
}

export interface Distance {
  /** Sum of differences over the sum of exact indices, in the layer where that is largest. */
  readonly ofLayer: number;
  /** Difference over the exact index, or over a hundredth of the layer's largest where that is more, of the worst neuron. */
  readonly ofNeuron: number;
}

const sizes = (values: ArrayLike<number>): readonly number[] => Array.from(values, Math.abs);
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** Of two lists of the same layers; a layer whose exact indices are all 0 does not count. */
export function distanceOf(exact: readonly Layer[], found: readonly Layer[]): Distance {
  const layers = exact.flatMap(({ indices }, i) => {
    const wanted = sizes(indices);
    const largest = Math.max(0, ...wanted);
    if (largest === 0) return [];
    const far = Array.from(indices, (index, k) => Math.abs(index - (found[i]?.indices[k] ?? Number.NaN)));
    const shares = far.map((one, k) => one / Math.max(wanted[k] ?? 0, largest / 100));
    return [{ ofLayer: sum(far) / sum(wanted), ofNeuron: Math.max(...shares) }];
  });
  return {
    ofLayer: Math.max(0, ...layers.map(({ ofLayer }) => ofLayer)),
    ofNeuron: Math.max(0, ...layers.map(({ ofNeuron }) => ofNeuron)),
  };
}
