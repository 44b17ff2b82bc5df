// Several disposables as one: a block makes them one by one, and disposes of them together.

/** Holds disposables, and disposes of them in reverse order when it is disposed of. */
export interface Scope extends Disposable {
  /** Takes one, and gives it back. In a scope that is disposed of already, it is disposed of at once. */
  use<T extends Disposable>(one: T): T;
  /** Hands all of them over to a scope of its own, and holds none: for what a function makes and returns. */
  move(): Scope;
}

/**
 * A scope for networks that are made in a loop or one after the other, where `using` for each would not do.
 *
 * ```js
 * using all = scope();
 * const networks = graphs.map((graph) => all.use(createNetwork(graph, { seed: 0, device: 'cpu' })));
 * ```
 *
 * Disposing of it twice is harmless. Every one is disposed of, whatever another throws; the first error is thrown then.
 */
export function scope(): Scope {
  const held: Disposable[] = [];
  let isOver = false;
  return {
    use: (one) => {
      if (isOver) one[Symbol.dispose]();
      else held.push(one);
      return one;
    },
    move: () => {
      const other = scope();
      for (const one of held.splice(0)) other.use(one);
      return other;
    },
    [Symbol.dispose]: () => {
      isOver = true;
      const errors: unknown[] = [];
      for (let one = held.pop(); one !== undefined; one = held.pop()) {
        try {
          one[Symbol.dispose]();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
