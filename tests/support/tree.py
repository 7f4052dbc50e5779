# SPDX-License-Identifier: Apache-2.0
"""One kernel tree with its warm build folder, for all tests of `bowsprit run`: only the first build is a cold one. Both are kept in
$BOWSPRIT_CACHE from session to session. $BOWSPRIT_TEST_KERNEL (a git checkout, never changed) replaces the kernel made from Debian's source."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess

from .kernel import EXAMPLE_TEST, kernel_repository, with_test
from .server import program

KUNITCONFIG = "CONFIG_KUNIT=y\nCONFIG_KUNIT_EXAMPLE_TEST=y\nCONFIG_KUNIT_TEST=y\n"


class Tree:
    """A kernel tree of our own with its warm build folder."""

    def __init__(self, root):
        self.root = root
        self.path = (root / "linux").resolve()
        self.build = (root / "build").resolve()
        self.artifacts = root / "artifacts"

    @contextlib.contextmanager
    def changed(self, path, text):
        """The file has this text inside the block; None removes it."""
        file = self.path / path
        before = file.read_text() if file.exists() else None

        def put(new):
            file.unlink(missing_ok=True) if new is None else file.write_text(new)

        put(text)
        try:
            yield file
        finally:
            put(before)

    @contextlib.contextmanager
    def with_case(self, body, name="judged_test"):
        """The example suite has one more case; gives the line of the body's first line."""
        text, line = with_test((self.path / EXAMPLE_TEST).read_text(), body, name)
        with self.changed(EXAMPLE_TEST, text):
            yield line

    def command(self, *options):
        return [str(program()), "run", str(self.path), "--build-dir", str(self.build), "--artifacts", str(self.artifacts), *options]

    def run(self, *options, wrapper=(), env=None):
        """The finished process; its .result is result.json, which must be what --format json printed."""
        done = subprocess.run([*wrapper, *self.command("--format", "json", *options)], capture_output=True, text=True, timeout=1200,
                              env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL)
        assert done.stdout, done.stderr[-3000:]
        done.result = json.loads(done.stdout)
        assert done.result == json.loads(self.artifact("result.json"))
        return done

    def artifact(self, name):
        return (self.artifacts / name).read_text(errors="replace")

    def processes(self):
        """Command lines of live processes that have to do with this tree."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if str(self.path) in words or str(self.build) in words:
                        found.append(words)
        return found

    def git(self, *words, input=None, env=None):
        done = subprocess.run(["git", "-C", str(self.path), *words], input=input, capture_output=True, text=True, check=True,
                              env={**os.environ, **(env or {})})
        return done.stdout.strip()

    def git_status(self):
        return self.git("status", "--porcelain") + self.git("worktree", "list") + self.git("rev-parse", "HEAD")

    def commit(self, files):
        """A commit of HEAD with these files and our kunitconfig, on no branch; the tree and its index stay as they are."""
        who = {"NAME": "A", "EMAIL": "a@example.com", "DATE": "2026-01-01T00:00:00Z"}
        env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
        env["GIT_INDEX_FILE"] = str(self.root / "commit.index")
        self.git("read-tree", "HEAD", env=env)
        for path, text in {"kunitconfig": KUNITCONFIG, **files}.items():
            blob = self.git("hash-object", "-w", "--stdin", input=text)
            self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=env)
        return self.git("commit-tree", self.git("write-tree", env=env), "-p", "HEAD", input="base", env=env)


def make_warm_tree():
    cache = pathlib.Path(os.environ.get("BOWSPRIT_CACHE") or pathlib.Path.home() / ".cache/bowsprit")
    tree = Tree(cache / "run-tests")
    source = os.environ.get("BOWSPRIT_TEST_KERNEL") or str(kernel_repository())
    stamp = tree.root / "made-from"
    head = subprocess.run(["git", "-C", source, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    if not stamp.exists() or stamp.read_text() != head:
        shutil.rmtree(tree.root, ignore_errors=True)
        tree.root.mkdir(parents=True)
        subprocess.run(["git", "clone", "-q", "--shared", source, str(tree.path)], check=True)
        stamp.write_text(head)
    subprocess.run(["git", "-C", str(tree.path), "checkout", "-q", "--", "."], check=True)
    (tree.path / "kunitconfig").write_text(KUNITCONFIG)
    if tree.run().returncode != 0:
        raise RuntimeError(f"the unchanged kernel does not pass:\n{tree.artifact('result.json')[:3000]}")
    return tree
