export declare const PLATFORM: string;
export declare function prebuild(options?: {
  readonly cuda?: boolean;
  readonly out?: string;
  readonly isBuilt?: boolean;
  readonly onOutput?: (text: string) => void;
}): Promise<string>;
