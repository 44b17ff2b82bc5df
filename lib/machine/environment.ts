// The type of environment variables. Functions take them as a parameter, so that tests can give their own.

/** Values by name. */
export type Environment = Readonly<Record<string, string | undefined>>;
