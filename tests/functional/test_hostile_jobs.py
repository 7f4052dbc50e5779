# SPDX-License-Identifier: Apache-2.0
"""A change's code is hostile until proven otherwise: it runs as the job, and tries to get out. Each attempt is contained, and the next job is
unharmed."""
import pytest

from support.gerrit import PASSWORDS

# The job of these tests does what the change tells it to.
OBEDIENT = "test ! -f attack.sh || exec sh attack.sh"


@pytest.fixture
def attack(stage):
    """Runs a script as the code of a change; the run, its log, and proof that the next job is well."""
    stage.start_server_with_jobs(stage.job("obedient", OBEDIENT, timeout="60s"))

    def run(script):
        change = stage.push({"attack.sh": script}, "kunit: hostile")
        stage.report_of(change)
        next_change = stage.push({"attack.sh": "echo I am well\n"}, "kunit: the next one")
        stage.report_of(next_change)
        assert stage.vote_of(next_change) == 1, "the job after the attack was harmed"
        run = stage.runs_of(change)[0]
        return run, stage.log_of(run)

    return run


def test_the_servers_files_are_out_of_reach(stage, attack):
    secrets = [stage.server.state, stage.server.folder / "password", "/root", "/etc/shadow", "/etc/ssh"]
    script = "".join(f"cat {path} && echo LEAK {path}; ls {path}/* && echo LEAK {path}\n" for path in secrets)
    script += "ls /home | grep -v '^prow$' && echo LEAK /home\n"  # /home/prow is where Prow's decoration puts the source
    script += f"find / -xdev \\( -name '*.db' -o -name password \\) 2>/dev/null | grep -F '{stage.server.folder}' && echo LEAK found\n"
    script += "env | grep -iE 'password|token|secret' && echo LEAK environment\necho all tried\n"
    run, log = attack(script)
    assert "all tried" in log
    assert "LEAK" not in log
    assert PASSWORDS["ci"] not in log


def test_there_is_no_network(stage, attack):
    host, port = "127.0.0.1", stage.gerrit.http_port
    run, log = attack(f"""
ls /sys/class/net; cat /proc/net/dev
bash -c 'exec 3<>/dev/tcp/{host}/{port}' && echo LEAK tcp
bash -c 'exec 3<>/dev/tcp/192.0.2.1/80' && echo LEAK tcp
echo all tried
""")
    assert "all tried" in log
    assert "LEAK" not in log
    assert "eth0" not in log


def test_a_fork_bomb_ends_with_its_job(stage, attack):
    # A bomb may burn out by itself, since forks fail at the limit; so the script says how it ends.
    run, log = attack("bash -c ':() { : | : & }; :' & wait; for i in 1 2 3; do sh attack.sh & sh attack.sh & done; wait; exit 1\n")
    assert run["state"] in ("failure", "error", "aborted")
    assert not stage.processes_with("attack.sh")


@pytest.mark.parametrize("place", ["$ARTIFACTS", "$TMPDIR", "/dev/shm", "."])
def test_a_full_disk_is_the_jobs_own(attack, place):
    run, log = attack(f"head -c 20G /dev/zero >{place}/fill && echo LEAK no limit; ls -l {place}/fill; rm -f {place}/fill; exit 1\n")
    assert "LEAK" not in log
    assert run["state"] in ("failure", "error", "aborted")


def test_nothing_of_a_job_outlives_it(stage, attack):
    run, log = attack("setsid sh -c 'while :; do sleep 1; done' bowsprit-left-behind & echo started\n")
    assert "started" in log
    assert not stage.processes_with("bowsprit-left-behind")
