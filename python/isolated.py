"""Started by `python3 -I`, so that no module of the working folder, of PYTHONPATH or of the user's start-up files takes the
place of Python's own. Adds the packages of `pip install --user`, which -I leaves out, behind all others. The first word says
what to do: `pip WORDS...` runs pip, `torch` prints where PyTorch is."""
import importlib.util
import os
import runpy
import site
import sys

# A virtual environment goes without the user's packages, as always.
if sys.prefix == sys.base_prefix and not os.environ.get("PYTHONNOUSERSITE"):
    user_site = site.getusersitepackages()
    if os.path.isabs(user_site) and os.path.isdir(user_site):
        sys.path.append(user_site)


def pip():
    del sys.argv[1]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


def torch():
    # PYTHONPATH counts here: nothing of it is run, only the file's place is asked for.
    sys.path[:0] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(path)]
    spec = importlib.util.find_spec("torch")
    print(spec.origin if spec and spec.origin else "")


{"pip": pip, "torch": torch}[sys.argv[1]]()
