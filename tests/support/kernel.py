# SPDX-License-Identifier: Apache-2.0
"""Kernel changes for tests, demo and benchmarks: made without a checkout, so a change to a tree of 86,000 files takes well under a second.

    author = Author(kernel_repository(), folder)
    change = author.commit({"lib/kunit/kunit-example-test.c": text}, subject="lib: add a test")
    number = author.push(change, "http://alice:secret@127.0.0.1:8080/a/linux")
"""
import dataclasses
import hashlib
import os
import pathlib
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE_TEST = "lib/kunit/kunit-example-test.c"
DELETE = None  # as a file's new text


def kernel_repository():
    """The bare repository of the test kernel, made on first use."""
    made = subprocess.run([ROOT / "tools/test-kernel"], stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(made.stdout.strip())


def kernel_tree():
    """A checked out tree of it; do not change it."""
    made = subprocess.run([ROOT / "tools/test-kernel", "--tree"], stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(made.stdout.strip())


@dataclasses.dataclass(frozen=True)
class Commit:
    sha: str
    change_id: str
    subject: str


class Author:
    """Somebody with a clone, who writes commits and pushes them for review."""

    def __init__(self, repository, folder, name="Alice Dev", email="alice@example.com"):
        self._git_dir = pathlib.Path(folder) / "author.git"
        self._index = pathlib.Path(folder) / "author.index"
        self._count = 0
        self._who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", name), ("EMAIL", email))}
        if not self._git_dir.exists():
            subprocess.run(["git", "clone", "-q", "--bare", "--shared", str(repository), str(self._git_dir)], check=True)

    def git(self, *words, input=None):
        env = {**os.environ, **self._who, "GIT_INDEX_FILE": str(self._index), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        done = subprocess.run(["git", "-C", str(self._git_dir), *words], input=input, env=env, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"git {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def read(self, path, revision="master"):
        return self.git("show", f"{revision}:{path}") + "\n"

    def commit(self, files, subject, parent="master", change_id=None):
        """A commit on `parent` with these files ({path: text, or DELETE}); give `change_id` for a further patch set of a change."""
        self._count += 1
        seed = f"{subject} {self._count} {os.getpid()} {time.time_ns()}"
        change_id = change_id or "I" + hashlib.sha1(seed.encode()).hexdigest()
        self.git("read-tree", parent)
        for path, text in files.items():
            if text is DELETE:
                self.git("update-index", "--index-info", input=f"0 {'0' * 40}\t{path}\n")  # works without a work tree
            else:
                blob = self.git("hash-object", "-w", "--stdin", input=text)
                self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        message = f"{subject}\n\nSigned-off-by: Alice Dev <alice@example.com>\nChange-Id: {change_id}\n"
        sha = self.git("commit-tree", self.git("write-tree"), "-p", parent, input=message)
        return Commit(sha, change_id, subject)

    def push(self, commit, url, branch="master", options=""):
        """Pushes for review; the number of the change."""
        done = subprocess.run(["git", "-C", str(self._git_dir), "push", url, f"{commit.sha}:refs/for/{branch}{options}"], capture_output=True,
                              text=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
        found = re.search(r"/c/.+/\+/(\d+)", done.stderr)
        if done.returncode != 0 or not found:
            raise RuntimeError(f"push of '{commit.subject}': {done.stderr.strip()}")
        return int(found.group(1))

    def push_branch(self, commit, url, branch="master"):
        """Pushes past review, as an administrator may."""
        self.git("push", url, f"{commit.sha}:refs/heads/{branch}")


def with_test(source, body, name="judged_test"):
    """The example test file with one more case, whose body is given; the line number of the body's first line too."""
    case = f"static void {name}(struct kunit *test)\n{{\n{body}\n}}\n\n"
    table = source.index("/*\n * Here we make a list of all the test cases")
    changed = source[:table] + case + source[table:]
    entry = "\tKUNIT_CASE(example_simple_test),\n"
    assert entry in changed, "the kernel's example test looks different now"
    line = changed[: changed.index(case)].count("\n") + 3
    return changed.replace(entry, entry + f"\tKUNIT_CASE({name}),\n"), line
