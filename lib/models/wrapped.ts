// State dicts as other programs save them: with batch norms' counters, and with the prefixes of what a model was wrapped in.

/** Tensors of PyTorch that a network has no need of: how many minibatches a batch norm has seen. */
const COUNTER = /(^|\.)num_batches_tracked$/;
/** Modules that stand between a module and its own parts: torch.compile, FSDP, checkpointing. */
const BETWEEN = /(^|\.)(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g;

/** Tensors under the names that are expected. */
export interface Unwrapped<T> {
  readonly tensors: ReadonlyMap<string, T>;
  /** What a note should say of the names, one entry a change; none where they were as expected. */
  readonly changes: readonly string[];
  /** Counters of batch norms that are left out. */
  readonly counters: number;
}

/** A name without wrappers between its modules. */
function within(name: string): string {
  return name.replace(BETWEEN, '').replace(/^\./, '');
}

/**
 * The prefix under which most of the expected names are found, where they are more than without one: DataParallel's `module.`,
 * Lightning's `model.`, `state_dict.` and any other. '' where there is none, or several do equally well.
 */
function prefixOf(names: readonly string[], expected: ReadonlySet<string>): string {
  const counts = new Map<string, number>();
  for (const name of names) {
    for (let at = name.indexOf('.'); at >= 0; at = name.indexOf('.', at + 1)) {
      const prefix = name.slice(0, at + 1);
      if (expected.has(name.slice(at + 1))) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  const plain = names.filter((name) => expected.has(name)).length;
  const [best, next] = [...counts].sort(([, a], [, b]) => b - a);
  return best === undefined || best[1] <= plain || best[1] === next?.[1] ? '' : best[0];
}

/**
 * A state dict without wrappers' prefixes and batch norms' counters; an expected name is never touched. Which name a
 * tensor would have twice keeps the first.
 *
 * ```
 * expected stem.weight, fc.weight; given module.stem.weight, module.fc.weight, module.bn.num_batches_tracked
 * gives    stem.weight, fc.weight; changes ['the prefix "module." of names is left out'], counters 1
 * ```
 */
export function unwrapped<T>(given: ReadonlyMap<string, T>, expected: ReadonlySet<string>): Unwrapped<T> {
  const kept = [...given].filter(([name]) => expected.has(name) || !COUNTER.test(name));
  const named = kept.map(([name, tensor]): readonly [string, T] => [
    expected.has(name) ? name : within(name),
    tensor,
  ]);
  const prefix = prefixOf(
    named.map(([name]) => name),
    expected,
  );
  const tensors = new Map<string, T>();
  for (const [name, tensor] of named) {
    const isWrapped = prefix !== '' && name.startsWith(prefix) && !expected.has(name);
    const own = isWrapped ? name.slice(prefix.length) : name;
    tensors.set(tensors.has(own) ? name : own, tensor);
  }
  const isBetween = kept.some(([name], at) => named[at]?.[0] !== name);
  const changes = [
    ...(isBetween ? ['wrappers within names are left out (such as "_orig_mod")'] : []),
    ...(prefix === '' ? [] : [`the prefix "${prefix}" of names is left out`]),
  ];
  return { tensors, changes, counters: given.size - kept.length };
}
