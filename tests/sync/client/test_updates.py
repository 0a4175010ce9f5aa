"""A device from its first bundle on: what it takes, watches, keeps and gives up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from skerry.bundles import verify_bundle
from skerry.sync.client import Enrolment, Health, Means, Phase, Result, enroll
from skerry.sync.client.journal import Journal
from skerry.sync.errors import DeviceBusy, DeviceFault, Postponed, Unhealthy, Untrusted
from skerry.sync.offers import DeviceFacts, Offer, Report, Stage
from tests.sync.fleet import NOW, Fleet, running

SICK = Health(False, 0.0, "it says nothing")


def sick(_bundle: Path) -> Health:
    return SICK


def at(seconds: float) -> dict[str, object]:
    return {"clock": lambda: NOW + seconds}


def test_the_first_bundle(fleet: Fleet) -> None:
    with fleet.client() as client:
        assert running(client) == "1"
        assert client.check() is None
        assert client.apply().result is Result.CURRENT
    assert verify_bundle(fleet.folder / "device" / "current").ok


def test_an_update_fetches_only_what_is_new(fleet: Fleet) -> None:
    fleet.publish("2")
    with fleet.client() as client:
        done = client.apply()
    assert (done.result, done.version) == (Result.CONFIRMED, "2")
    assert done.fetched == 4004 + len('version = "2"\n')
    assert verify_bundle(fleet.folder / "device" / "current").ok


def test_content_that_no_slot_uses_goes(fleet: Fleet) -> None:
    for version in ("2", "3", "4"):
        fleet.publish(version)
        fleet.apply()
    objects = [path for path in (fleet.folder / "device" / "objects").rglob("*") if path.is_file()]
    assert len(objects) == 5 + 2  # of the version that runs, and what differs in the one before


def test_a_sick_bundle_is_not_taken_and_not_tried_again(fleet: Fleet) -> None:
    fleet.publish("2")
    with fleet.client(health=sick) as client, pytest.raises(Unhealthy, match="says nothing"):
        client.apply()
    with fleet.client() as client:
        assert running(client) == "1"
        assert client.apply().result is Result.REFUSED
        assert running(client) == "1"
        assert client.apply(again=True).result is Result.CONFIRMED
        assert running(client) == "2"


def test_a_bundle_is_watched_and_kept(fleet: Fleet) -> None:
    fleet.publish("2")
    fleet.enrol(probation_s=100.0)
    with fleet.client(**at(0)) as client:
        assert client.apply().result is Result.INSTALLED
        assert client.journal.phase is Phase.PROBATION
    fleet.publish("3")
    with fleet.client(**at(50)) as client, pytest.raises(Postponed):
        client.apply()
    with fleet.client(**at(101)) as client:
        assert client.settle().result is Result.CONFIRMED
        assert client.journal.phase is Phase.IDLE


def test_a_bundle_that_crashes_goes_back_by_itself(fleet: Fleet) -> None:
    fleet.publish("2")
    fleet.enrol(probation_s=100.0)
    with fleet.client(**at(0)) as client:
        client.apply()
        digest = client.state.digest()
    for _ in range(3):
        if (child := os.fork()) == 0:
            with fleet.client(**at(1)) as client:
                client.state.uses.using(digest).__enter__()
                os._exit(9)
        os.waitpid(child, 0)
    with fleet.client(**at(2)) as client, pytest.raises(Unhealthy, match="3 times"):
        client.apply()
    with fleet.client(**at(3)) as client:
        assert running(client) == "1"
        assert client.apply().result is Result.REFUSED


def test_runtimes_that_close_or_run_are_no_crashes(fleet: Fleet) -> None:
    with fleet.client() as client:
        uses, digest = client.state.uses, client.state.digest()
        with uses.using(digest):
            assert uses.crashes(digest) == 0
        assert uses.crashes(digest) == 0


def test_a_version_that_is_recalled_on_probation_goes_at_once(fleet: Fleet) -> None:
    from skerry.sync.repository.publish import recall

    fleet.publish("2")
    fleet.enrol(probation_s=100.0)
    fleet.apply(**at(0))
    with fleet.opened() as repository:
        recall(repository, "stable", "tiny", "1")
        repository.sign("stable")
        repository.release()
    with fleet.client(**at(1)) as client:
        assert client.apply().what == "called back"
        assert running(client) == "1"
        assert client.journal.phase is Phase.IDLE
        assert client.apply().result is Result.CURRENT


def test_a_runtime_that_may_not_write_runs_unwatched(fleet: Fleet) -> None:
    with fleet.client() as client:
        uses, digest = client.state.uses, client.state.digest()
        (fleet.folder / "device" / "uses").write_text("no folder")
        with uses.using(digest):
            assert uses.crashes(digest) == 0


def test_sick_at_the_end_of_its_probation(fleet: Fleet) -> None:
    fleet.publish("2")
    fleet.enrol(probation_s=100.0)
    fleet.apply(**at(0))
    with fleet.client(health=sick, **at(200)) as client, pytest.raises(Unhealthy):
        client.apply()
    with fleet.client() as client:
        assert running(client) == "1"


def test_a_clock_that_was_set_back_does_not_prolong_a_probation(fleet: Fleet) -> None:
    fleet.publish("2")
    fleet.enrol(probation_s=100.0)
    fleet.apply(**at(1e6))
    with fleet.client(**at(0)) as client:
        assert client.settle() is None
        assert client.journal.until == NOW + 100
    with fleet.client(**at(101)) as client:
        assert client.settle().result is Result.CONFIRMED


def test_back_by_hand_and_again(fleet: Fleet) -> None:
    fleet.publish("2")
    fleet.apply()
    with fleet.client() as client:
        client.rollback()
        assert running(client) == "1"
        assert client.apply().result is Result.REFUSED
        with pytest.raises(DeviceFault, match="refused"):
            client.rollback()  # the way back leads to what was given up
        assert client.apply(again=True).fetched == 0
        assert running(client) == "2"


def test_nothing_to_go_back_to(fleet: Fleet) -> None:
    with fleet.client() as client, pytest.raises(DeviceFault, match="no bundle to go back to"):
        client.rollback()


def test_an_update_on_a_stick(fleet: Fleet, tmp_path: Path) -> None:
    import shutil

    fleet.publish("2")
    stick = tmp_path / "stick"
    shutil.copytree(fleet.public, stick)
    shutil.rmtree(fleet.public)
    with fleet.client() as client, pytest.raises(Exception, match="has no"):
        client.apply()
    from skerry.sync.client import FolderSource

    assert fleet.apply(source=FolderSource(stick)) == "2"


def test_a_bundle_that_does_not_suit_the_device(fleet: Fleet) -> None:
    from dataclasses import replace

    from skerry.device_profiles import find_profile, load_profiles

    fleet.publish("2")
    profile = find_profile("phone-mid", load_profiles())
    small = replace(profile, formats=())
    with fleet.client(profile=small) as client, pytest.raises(Unhealthy, match="not taken"):
        client.apply()
    with fleet.client() as client:
        assert running(client) == "1"


def test_two_at_once(fleet: Fleet) -> None:
    with fleet.client(), pytest.raises(DeviceBusy), fleet.client():
        pass


def test_a_device_keeps_its_root(fleet: Fleet, tmp_path: Path) -> None:
    enrolment = Enrolment(device="d", source=str(fleet.public), channel="stable", bundle="tiny")
    with pytest.raises(Untrusted):
        enroll(tmp_path / "new", enrolment, b"{}")
    assert not (tmp_path / "new" / "device.json").exists()
    with pytest.raises(DeviceFault, match="another root"):
        enroll(fleet.folder / "device", enrolment, fleet.root + b" ")


class Server:
    """Offers what it is told to, as a fleet server does, and keeps reports; may be away."""

    poll_after_s = 60.0

    def __init__(self, offer: Offer | None) -> None:
        self.offer = offer
        self.reports: list[Report] = []
        self.away = False

    def next(self, facts: DeviceFacts) -> Offer | None:
        self.facts = facts
        return self.offer

    def report(self, report: Report) -> None:
        if self.away:
            from skerry.sync.errors import SourceFault

            raise SourceFault("the server is away")
        self.reports.append(report)


def test_a_server_offers_and_hears(fleet: Fleet) -> None:
    done = fleet.publish("2", latest=False)
    server = Server(Offer(id="r1", target=done.target, version="2", digest=done.digest))
    with fleet.client() as client:
        assert client.apply().result is Result.CURRENT  # it is not the channel's latest
    server.away = True
    assert fleet.apply(offers=server) == "2"
    assert (server.facts.version, server.reports) == ("1", [])
    server.away = False
    with fleet.client(offers=server) as client:
        client.settle()
    stages = [report.stage for report in server.reports]
    assert stages == [Stage.DOWNLOADING, Stage.INSTALLED, Stage.CONFIRMED]
    assert server.reports[1].signals["health_score"] == 1.0


def test_a_further_attempt_of_a_rollout_is_taken(fleet: Fleet) -> None:
    done = fleet.publish("2", latest=False)
    server = Server(Offer(id="r1", target=done.target, version="2", digest=done.digest))
    with fleet.client(offers=server, health=sick) as client, pytest.raises(Unhealthy):
        client.apply()
    for other in ("r1", "r2:2", "r2"):
        server.offer = Offer(id=other, target=done.target, version="2", digest=done.digest)
        with fleet.client(offers=server) as client:
            assert client.apply().result is Result.REFUSED
    server.offer = Offer(id="r1:2", target=done.target, version="2", digest=done.digest)
    assert fleet.apply(offers=server) == "2"


def test_a_server_cannot_offer_what_nobody_signed(fleet: Fleet) -> None:
    done = fleet.publish("2")
    for offer in (
        Offer(id="r", target="stable/tiny/9/bundle.json", version="9", digest="0" * 64),
        Offer(id="r", target=done.target, version="2", digest="0" * 64),
    ):
        with fleet.client(offers=Server(offer)) as client, pytest.raises(Untrusted):
            client.apply()
    with fleet.client() as client:
        assert running(client) == "1"


def test_the_journal_is_bounded() -> None:
    journal = Journal()
    for number in range(200):
        journal = journal.refusing(f"{number:064}", "why")
        journal = journal.reporting(Report(offer="x", digest="0" * 64, stage=Stage.FAILED))
    assert (len(journal.refused), len(journal.reports)) == (64, 64)


def test_means_need_nothing() -> None:
    assert Means().planner is not Means().planner
