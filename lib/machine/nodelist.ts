// The first machine of a list as SLURM writes it: "gpu[07-09,12],login1".

/** The first name of the list; null where none can be read. */
export function firstHost(list: string): string | null {
  const first = /^(?:[^[\],\s]|\[[^\]]*\])+/.exec(list.trim())?.[0];
  // Of "[07-09,12]" the first number, with its zeros.
  const name = first?.replaceAll(/\[(\d+)[^\]]*\]/g, '$1');
  return name === undefined || name.includes('[') ? null : name;
}
