"""The arithmetic of the benchmarks: order, medians, ratios, means, intervals."""

import dataclasses
import math

import pytest
from benchmarks.bench import ContenderFailed, run_once, text_of
from benchmarks.claims import bootstrap_mean, wilson
from benchmarks.claims.__main__ import as_claim
from benchmarks.measurement import Run, compare, geometric_mean, interleaved, ratios_of_peers, table
from benchmarks.workloads import Contender

from benchmarks import bench, peers, results, workloads


def runs_of(contender, seconds, qualities=()):
    qualities = qualities or [None] * len(seconds)
    return [Run(contender, i, s, q) for i, (s, q) in enumerate(zip(seconds, qualities, strict=True))]


def test_runs_are_interleaved():
    assert list(interleaved(["a", "b"], 2)) == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]


def test_geometric_mean():
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
    assert math.isnan(geometric_mean([]))


def test_ratio_is_of_medians_and_an_outlier_changes_nothing():
    lines = table([*runs_of("ganglion", [1, 2, 99]), *runs_of("peer", [6, 5, 500])], ["ganglion", "peer"])
    assert [line.ratio for line in lines] == [1.0, 3.0]
    assert ratios_of_peers(lines) == [3.0]


def test_limits_stand_in_the_table_but_not_in_the_mean():
    runs = [*runs_of("ganglion", [2]), *runs_of("limit", [1]), *runs_of("peer", [4])]
    lines = table(runs, ["ganglion", "limit", "peer", "absent"], limits=["limit"], targets={"limit": 0.4, "peer": 3})
    assert [line.contender for line in lines] == ["ganglion", "limit", "peer"]
    assert ratios_of_peers(lines) == [2.0]
    assert [line.verdict for line in lines] == ["", "reached", "short"]


def test_without_ganglion_there_is_no_ratio_but_to_the_fastest_limit():
    runs = [*runs_of("fast", [2, 3, 99]), *runs_of("slow", [4]), *runs_of("peer", [9])]
    lines = table(runs, ["slow", "fast", "peer"], limits=["slow", "fast"], targets={"peer": 2.0})
    assert ratios_of_peers(lines) == []
    assert [line.over_limit for line in lines] == pytest.approx([4 / 3, 1.0, 3.0])
    assert [line.verdict for line in lines] == ["", "", ""]
    assert table(runs, ["peer"])[0].over_limit is None


def test_a_faster_run_that_learns_less_is_said():
    ours, better, same = [0.90, 0.91, 0.90], [0.95, 0.95, 0.96], [0.905, 0.90, 0.905]
    assert compare(ours, better) == "more"
    assert compare(better, ours) == "less"
    assert compare(ours, same) == ""
    assert compare(ours, better, lower_is_better=True) == "less"
    assert compare(ours, [0.99]) == ""
    runs = [*runs_of("ganglion", [1, 1, 1], ours), *runs_of("peer", [2, 2, 2], better)]
    assert table(runs, ["ganglion", "peer"], targets={"peer": 1.0})[1].verdict == "reached in time, not in quality"


@pytest.mark.parametrize("name", workloads.names())
def test_every_workload_names_contenders_and_peers_that_exist(name):
    workload = workloads.workload(name)
    assert "ganglion" in workload.contenders or workload.limits  # something to divide by
    assert set(workload.targets) | set(workload.limits) <= set(workload.contenders)
    folder = peers.LISTS.parent / "contenders"
    for contender in workload.contenders.values():
        assert contender.peer in ["", *peers.names()]
        assert folder.joinpath(*contender.module.split(".")).with_suffix(".py").exists()


@pytest.mark.parametrize("name", peers.names())
def test_every_peer_is_pinned(name):
    pinned = peers.requirements(name)
    assert pinned
    assert all("==" in each for each in pinned)
    assert all(each == "torch==2.13.0" for each in pinned if each.startswith("torch=="))


def test_a_contender_that_breaks_says_its_last_words():
    with pytest.raises(ContenderFailed, match="absent"):
        run_once(Contender("absent"), {}, "/nonexistent", timeout_s=60)


def test_table_says_what_is_absent():
    workload = workloads.workload("iris")
    shown = text_of("iris", workload, table(runs_of("ganglion", [0.02], [0.9]), ["ganglion"]), {}, ["skorch"])
    assert "skorch: not installed (python -m benchmarks.peers skorch)" in shown
    assert "20.00 ms" in shown


def test_small_tables_are_measured_beside_scikit_learn_and_skorch():
    for name in ("iris", "digits", "table"):
        assert workloads.workload(name).targets == {"scikit-learn": 1.0, "skorch": 2.0}


@pytest.fixture
def pending(monkeypatch):
    """A workload without Ganglion: a limit of 2 s, a peer of 6 s, one that is not installed. And one that breaks."""
    broken = Contender("broken")
    chosen = workloads.Workload(
        title="a job for later",
        job={},
        contenders={"limit": Contender("mlp.limit"), "peer": Contender("mlp.skorch"), "absent": Contender("x", "none")},
        targets={"peer": 2.0},
        limits=("limit",),
    )

    def pretend(contender, _job, _folder, timeout_s):
        if contender is broken:
            raise ContenderFailed("out of luck")
        return {"seconds": 2.0 if contender is chosen.contenders["limit"] else 6.0, "accuracy": 0.9}

    monkeypatch.setattr(bench, "run_once", pretend)
    monkeypatch.setattr(bench, "workload", lambda _name: chosen)
    monkeypatch.setattr(bench.machine, "keep_to", lambda _cores: None)  # it would hold for all tests after this one
    monkeypatch.setattr(bench.machine, "busy_share", lambda: 0.0)
    return chosen, broken


def test_a_workload_that_awaits_ganglion_is_measured_beside_the_limit(pending, capsys, monkeypatch):
    written = {}
    monkeypatch.setattr(
        bench.results, "write", lambda _kind, everything, page: written.update(json=everything, page=page) or ()
    )
    assert bench.main(["later", "--rounds", "2"]) == 0
    shown = capsys.readouterr().out
    head, limit, peer, note = shown.splitlines()[2:6]
    assert head.split("  ")[0] == "contender"
    assert "× limit" in head
    assert "× Ganglion" not in head
    assert [limit.split()[4], peer.split()[4]] == ["1.00", "3.00"]
    assert note.startswith("Ganglion: not there yet.")
    assert "absent: not installed" in shown
    assert "no ratio" in shown
    assert "Ganglion: not there yet." in written["page"]
    assert "| peer | 2 | 6.00 s | 3.00 | ≥ 2.00 | accuracy 0.9000 ± 0.0000 |  |" in written["page"]
    assert "Not installed: absent." in written["page"]
    later = written["json"]["workloads"]["later"]
    assert later["ganglion"] == "not there yet"
    assert [(line["ratio"], line["over_limit"]) for line in later["lines"]] == [(None, 1.0), (None, 3.0)]
    assert written["json"]["geometric_mean"] is None


def test_a_contender_that_fails_is_an_exit_code_also_without_ganglion(pending, capsys, monkeypatch):
    chosen, broken = pending
    worse = dataclasses.replace(chosen, contenders={**chosen.contenders, "peer": broken})
    monkeypatch.setattr(bench, "workload", lambda _name: worse)
    assert bench.main(["later", "--rounds", "2", "--no-save"]) == 1
    assert "peer: failed: out of luck" in capsys.readouterr().out


def test_wilson_equals_the_textbook():
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0.0, 10)[1] == pytest.approx(0.2775, abs=1e-4)


def test_bootstrap_of_a_constant_is_the_constant():
    assert bootstrap_mean([0.3] * 5) == pytest.approx((0.3, 0.3))


def test_a_promise_may_be_a_dict():
    assert as_claim("fuzz", {"claim": "no crash", "holds": True, "count": 3}).held
    assert not as_claim("fuzz", {"claim": "no crash", "holds": False}).held


def test_result_files_are_dated(tmp_path):
    paths = results.write("bench", {"figure": 1}, "# Title\n\ntext\n", folder=tmp_path)
    assert [path.suffix for path in paths] == [".json", ".md"]
    assert paths[1].read_text().startswith("# Title, 20")
