# SPDX-License-Identifier: Apache-2.0
"""What `bowsprit run` leaves out must not be missed: the kernel is, byte by byte, the one that plain make builds."""
import contextlib
import hashlib
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.kernel import EXAMPLE_TEST, with_test  # noqa: E402
from support.tree import KUNITCONFIG, Tree  # noqa: E402

KERNEL_FILES = ("linux", "System.map", "modules.builtin", "vmlinux.symvers")


def kernel_of(build):
    return {name: hashlib.sha256((build / name).read_bytes()).hexdigest() for name in KERNEL_FILES}


def by_make(tree):
    """Whether the last run called all of make, which then says so."""
    return "GEN     Makefile" in tree.artifact("build.log")


def test_a_changed_source_is_built_by_the_saved_commands_as_make_builds_it(tree):
    tree.run()  # by make where the test before left no note
    with tree.with_case("\tKUNIT_EXPECT_EQ(test, 1, 1);"):
        quick = tree.run()
        assert quick.returncode == 0 and not by_make(tree), quick.stderr
        assert "CC      lib/kunit/kunit-example-test.o" in tree.artifact("build.log")
        built = kernel_of(tree.build)
        (tree.path / EXAMPLE_TEST).touch()
        full = tree.run("--no-shortcuts")
        assert full.returncode == 0 and by_make(tree)
        assert "CC      lib/kunit/kunit-example-test.o" in tree.artifact("build.log")
        assert kernel_of(tree.build) == built


def test_an_error_after_a_shortcut_is_told_as_make_tells_it(tree):
    tree.run()
    with tree.with_case("\tno_such_function(test);") as line:
        done = tree.run()
    assert done.result["verdict"] == "build_error" and by_make(tree)
    assert [(one["file"], one["line"]) for one in done.result["diagnostics"] if one["kind"] == "error"][0] == (EXAMPLE_TEST, line)
    assert tree.artifact("build.log").count("implicit declaration") == 1, "what the shortcut printed before is kept back"


def replaced(text, old, new):
    assert old in text, f"the kernel's file looks different now: no {old!r}"
    return text.replace(old, new, 1)


def edits(read):
    """Each kind of edit: its name, the files to write (None: to remove), and whether the saved commands alone may do. They add up."""
    source, _ = with_test(read(EXAMPLE_TEST), "\tKUNIT_EXPECT_TRUE(test, true);", "edit_kind_test")
    yield "source", {EXAMPLE_TEST: source}, True
    header = read("include/kunit/resource.h")
    yield "header that several sources use", {"include/kunit/resource.h": replaced(header, "struct kunit_resource {", "struct kunit_resource {\n\tlong edit_kind;")}, True
    makefile = read("lib/kunit/Makefile")
    flags = makefile + "\nCFLAGS_kunit-example-test.o += -DEDIT_KIND=1\n"
    yield "Makefile", {"lib/kunit/Makefile": flags}, False
    kconfig = read("lib/kunit/Kconfig")
    yield "Kconfig", {"lib/kunit/Kconfig": replaced(kconfig, "if KUNIT\n", "if KUNIT\n\nconfig KUNIT_EDIT_KIND\n\tdef_bool y\n")}, False
    yield "kunitconfig", {"kunitconfig": KUNITCONFIG + "CONFIG_LIST_KUNIT_TEST=y\n"}, False
    fewer = replaced(flags, "obj-$(CONFIG_KUNIT_TEST) +=		platform-test.o\n", "")
    yield "deleted file", {"lib/kunit/platform-test.c": None, "lib/kunit/Makefile": fewer}, False
    renamed = fewer.replace("kunit-example-test.o", "kunit-renamed-test.o")
    yield "renamed file", {EXAMPLE_TEST: None, "lib/kunit/kunit-renamed-test.c": source, "lib/kunit/Makefile": renamed}, False
    yield "new folder", {"lib/kunit/new/Makefile": "obj-y += new.o\n", "lib/kunit/new/new.c": "int edit_kind(void);\nint edit_kind(void)\n{\n\treturn 7;\n}\n",
                         "lib/kunit/Makefile": renamed + "\nobj-y += new/\n"}, False
    tool = read("scripts/kallsyms.c")
    yield "tool in scripts/", {"scripts/kallsyms.c": replaced(tool, "int main(int argc, char **argv)\n{\n", "int main(int argc, char **argv)\n{\n\t/* edited */\n")}, False
    yield "compiler flags", {"lib/kunit/Makefile": renamed + "\nobj-y += new/\nsubdir-ccflags-y += -fno-inline\n"}, False


@pytest.mark.long
def test_every_kind_of_edit_gives_the_kernel_of_plain_make_and_of_a_cold_build(tree):
    plain, cold = Tree(tree.root), Tree(tree.root)
    plain.build, cold.build = tree.root / "plain-build", tree.root / "cold-build"
    tree.run()
    with contextlib.ExitStack() as undo:
        for folder in (plain.build, cold.build, tree.path / "lib/kunit/new"):
            shutil.rmtree(folder, ignore_errors=True)
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
        subprocess.run(["cp", "--archive", str(tree.build), str(plain.build)], check=True)
        for name, files, may_replay in edits(lambda path: (tree.path / path).read_text()):
            for path, text in files.items():
                (tree.path / path).parent.mkdir(exist_ok=True)
                undo.enter_context(tree.changed(path, text))
            done = tree.run()
            assert done.returncode == 0, (name, done.result["summary"])
            assert by_make(tree) != may_replay, name
            assert plain.run("--no-shortcuts").returncode == 0, name
            assert kernel_of(tree.build) == kernel_of(plain.build), name
            print(f"the same by both ways: {name}", flush=True)
        assert cold.run("--no-shortcuts").returncode == 0
        assert kernel_of(tree.build) == kernel_of(cold.build)
