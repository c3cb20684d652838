"""npm packages for tests: installed into the build tree, once for each state of the lock file."""
import hashlib
import shutil
import subprocess

ATTEMPTS = 3


def install(folder, build):
    """The folder below `build` with the node_modules that package-lock.json in `folder` names. A registry has bad moments: a
    failed installation is tried again."""
    modules = build / "npm"
    stamp = modules / "installed"
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return modules
    for attempt in range(1, ATTEMPTS + 1):
        shutil.rmtree(modules, ignore_errors=True)
        modules.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(folder / name, modules)
        try:
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=modules, check=True,
                           timeout=1800, stdin=subprocess.DEVNULL)
            stamp.write_text(digest)
            break
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            if attempt == ATTEMPTS:
                raise
    return modules
