// Environment variables, as functions take them: tests give their own.

/** Values by name. */
export type Environment = Readonly<Record<string, string | undefined>>;
