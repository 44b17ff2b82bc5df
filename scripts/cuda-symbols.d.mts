export function missingSymbols(library: string, root: string): Promise<string[] | null>;
