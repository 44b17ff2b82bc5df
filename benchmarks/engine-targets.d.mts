// Types of engine-targets.mjs, for the tests.
interface Round {
  readonly medianMs: number;
  readonly meanMs: number;
}
export interface TimesRow {
  readonly program: string;
  readonly isPyTorch: boolean;
  readonly network: string;
  readonly threads: number;
  readonly isBusy: boolean;
  readonly step: string;
  readonly rounds: readonly Round[];
}
export interface Ratio {
  readonly found: number;
  readonly least: number;
  readonly most: number;
  readonly best: string;
  readonly oursMs: number;
  readonly bestMs: number;
}
export interface RatioPlace {
  readonly network: string;
  readonly threads: number;
  readonly isBusy?: boolean;
  readonly step: string;
  readonly over: string;
}
export function ratioOf(times: readonly TimesRow[], program: string, place: RatioPlace): Ratio | null;
export const STEPS: Readonly<Record<string, string>>;
export function summaryOf(rounds: readonly { readonly milliseconds: readonly number[] }[]): {
  readonly medianMs: number;
  readonly q1Ms: number;
  readonly q3Ms: number;
};
export function targetsOf(document: object, program: string): readonly object[];
