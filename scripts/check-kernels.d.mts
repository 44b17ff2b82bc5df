/** A tile: an innermost loop of multiply-adds of one of the products. */
export interface Tile {
  /** Of the function, as the compiler writes it. */
  readonly name: string;
  readonly multiplyAdds: number;
  readonly instructions: number;
  /** Vectors that the loop writes to the stack. */
  readonly spills: number;
}
export function tilesOf(text: string): Tile[];
export function checkKernels(words: readonly string[]): Promise<void>;
