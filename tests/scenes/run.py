#!/usr/bin/env python3
"""Every scene on every surface, compared with the truth and so with each other: run.py BUILD_DIR [SCENE...]

SHAREDRIFT_BIN_DIR names the programs. The scenes are in scenes.py, the surfaces in readers.py; pictures of the pages are left in
BUILD_DIR/pictures. Scenes mostly wait, for alerts above all, so some are played at once.
"""
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from harness import Daemon, Failed, Simulator, run, wait_for, workspace  # noqa: E402
from harness.npm import install  # noqa: E402
import readers  # noqa: E402
from scenes import SCENES  # noqa: E402


AT_ONCE = 4


class Browser:
    """Chromium, which looks at one page after the other."""

    def __init__(self, modules):
        self.node = subprocess.Popen(["node", "page.mjs"], cwd=modules, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def look(self, **what):
        self.node.stdin.write(json.dumps(what) + "\n")
        self.node.stdin.flush()
        seen = json.loads(self.node.stdout.readline())
        if "error" in seen:
            raise Failed(f"{what}: {seen['error']}")
        return seen

    def stop(self):
        self.node.stdin.close()
        self.node.wait(300)


class Stage:
    """A scene, set up: simulator, daemon, and what a reader needs of them."""

    def __init__(self, scene, directory, own, browser, pictures, simulator=None):
        self.scene, self.browser, self.pictures = scene, browser, pictures
        self.simulator = simulator or own(Simulator(directory))
        for image, accounts in scene.shares.items():
            self.simulator.control("images", id=image, accounts=accounts)
        if scene.start:
            scene.start(self.simulator)
        profile = f'{{endpoint: "{self.simulator.url}", requests_per_second: 0, max_attempts: 1, credentials: {{source: environment}}}}'
        config = f"profiles:\n  default: {profile}\npoll: {{{scene.poll}}}\n{scene.config}images:\n{scene.images}"
        daemon_key = {"key": scene.daemon_key, "secret": "fake"} if scene.daemon_key else {}
        name = scene.name.replace(" ", "-")
        self.daemon = own(Daemon(directory, config, name=name, **daemon_key))
        if scene.then:
            scene.then(self.simulator, self.daemon)
        if scene.restarts:
            self.daemon.stop()
            self.daemon = own(Daemon(directory, None, name=name, **daemon_key))
        wait_for("the daemon to tell the truth", lambda: not list(readers.api(self, scene.truth)))

    def data(self, path):
        status, _, body = self.daemon.http(path)
        if status != 200:
            raise Failed(f"{path}: {status}")
        return json.loads(body)["data"]

    def browse(self, path, script, only=False):
        """What a browser shows; with `only` nothing but pictures are taken."""
        name = self.scene.name.replace(" ", "-").replace(",", "") + ("-image" if only else "" if script else "-no-script")
        return self.browser.look(url=self.daemon.url + path, script=script, picture=str(self.pictures / name), only=only)

    def command(self, name, *flags):
        own_key = {"key": self.scene.key, "secret": "fake"} if self.scene.key else {}
        return run(name, f"--config.file={self.daemon.config}", *flags, **own_key)


def play(scene, modules, pictures):
    """{surface: what is wrong with it}"""
    with workspace() as (directory, own):
        browser = own(Browser(modules))
        stages = [Stage(scene, directory, own, browser, pictures)]
        if scene.beside:
            stages.append(Stage(scene.beside, directory, own, browser, pictures, stages[0].simulator))
        faults = {}
        for stage in stages:
            where = "" if stage.scene is scene else f"{stage.scene.name}, "
            faults |= {where + reader.__name__: list(reader(stage, stage.scene.truth)) for reader in readers.OF_DAEMON}
            faults |= {where + reader.__name__: list(reader(stage, stage.scene.fresh())) for reader in readers.OF_POLL}
    return faults


def report(scene, faults):
    """Prints them, and returns how many surfaces are wrong."""
    bad = {surface: told for surface, told in faults.items() if told}
    print(f"{'FAIL' if bad else 'ok  '} {scene.name}: {len(faults)} surfaces", flush=True)
    for surface, told in bad.items():
        print("".join(f"       {surface}: {line}\n" for line in told[:5]), end="", flush=True)
    return len(bad)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    pictures = build / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    modules = install(HERE.parent / "browser", build)
    for script in (HERE / "page.mjs", HERE.parent / "browser/browser.mjs"):
        shutil.copy(script, modules)
    wrong = 0
    # The slowest one is the last in the table; it is begun first.
    chosen = [scene for scene in reversed(SCENES) if not sys.argv[2:] or scene.name in sys.argv[2:]]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        played = {pool.submit(play, scene, modules, pictures): scene for scene in chosen}
        for done in concurrent.futures.as_completed(played):
            try:
                faults = done.result()
            except Failed as error:
                faults = {"stage": [str(error)]}
            wrong += report(played[done], faults)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
