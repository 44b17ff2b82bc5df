// How Python is started: isolated (-I, which implies -P where a version has that), so that no module of the working folder,
// of PYTHONPATH or of the user's start-up files takes the place of Python's own.

/** Adds the folder of `pip install --user`, which -I leaves out, behind all others. A virtual environment goes without it as ever. */
const USER_SITE = `
import os, site, sys
if sys.prefix == sys.base_prefix and not os.environ.get('PYTHONNOUSERSITE'):
    user_site = site.getusersitepackages()
    if os.path.isabs(user_site) and os.path.isdir(user_site):
        sys.path.append(user_site)
`;

/** Runs pip as `python3 -m pip` does. */
export const PIP = `${USER_SITE}
import runpy
runpy.run_module('pip', run_name='__main__', alter_sys=True)
`;

/** Parameters of python3 for a program given as text. */
export function isolated(script: string, parameters: readonly string[] = []): readonly string[] {
  return ['-I', '-c', `${USER_SITE}${script}`, ...parameters];
}

/** In a program of `isolated`: the list that a command of pip begins with. */
export const PIP_COMMAND = `[sys.executable, '-I', '-c', ${JSON.stringify(PIP)}]`;
