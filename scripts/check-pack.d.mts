interface PackList {
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly size: number;
  readonly unpackedSize: number;
}
export declare const LIMITS: { readonly packed: number; readonly unpacked: number };
export declare function packProblems(list: PackList, options?: { readonly isWhole?: boolean }): string[];
export declare function packList(): Promise<PackList>;
