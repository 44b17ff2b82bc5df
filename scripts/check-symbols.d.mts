export declare const FLOOR: Readonly<Record<'GLIBC' | 'GLIBCXX' | 'CXXABI' | 'GCC' | 'GOMP' | 'OMP', string>>;
export declare function symbolFaults(text: string, file: string): string[];
export declare function checkSymbols(files: readonly string[]): Promise<string>;
export declare function binaries(): string[];
