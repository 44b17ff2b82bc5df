// One row of doctor's report.

/** One row of doctor's report. */
export interface Finding {
  /** What was looked at. */
  readonly name: string;
  /** A warning does not keep splitgrow from working. */
  readonly state: 'ok' | 'warning' | 'missing';
  /** What was found there. */
  readonly found: string;
  /** The command, or the change, that mends it. */
  readonly remedy?: string;
}

export function ok(name: string, found: string): Finding {
  return { name, state: 'ok', found };
}

export function warning(name: string, found: string, remedy: string): Finding {
  return { name, state: 'warning', found, remedy };
}

export function missing(name: string, found: string, remedy: string): Finding {
  return { name, state: 'missing', found, remedy };
}
