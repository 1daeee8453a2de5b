"""Which challenger is served is known by aliases; it ends with the champion it is beside."""

import pytest
from mlflow import MlflowClient

from grocery_demand.core.errors import RegistryError
from grocery_demand.core.model_version import Decision
from grocery_demand.core.rollout import RolloutError
from grocery_demand.datasets import (
    ChampionDataset,
    PanelDataset,
    PublicationDataset,
    ServedChallengerDataset,
)
from grocery_demand.datasets.challenger_control import (
    describe_served,
    load_served,
    promote_challenger,
    serve_challenger,
)
from grocery_demand.datasets.registered_versions import CHALLENGER, CHAMPION, PREVIOUS


def serve(registry, mode, share=None, number=None):
    return serve_challenger(registry, mode, share, number, "to see")


def state(registry):
    found = registry.rollouts.find()
    return found and (found.model_version, found.mode, found.share)


def aliases_of(registry):
    names = ("canary", "shadow")
    return {name: registry.find(name) for name in names if registry.find(name)}


@pytest.fixture
def publication(tmp_path, panel):
    PanelDataset(filepath=str(tmp_path / "panel")).save(panel)
    return PublicationDataset(
        filepath=str(tmp_path / "published"), panel={"filepath": str(tmp_path / "panel")},
        name="demand",
    )  # fmt: skip


def test_the_newest_challenger_is_served_unless_another_is_named(champions):
    assert state(champions) is None
    serve(champions, "shadow")
    assert state(champions) == (3, "shadow", 1.0)
    serve(champions, "canary", number=1)
    assert state(champions) == (1, "canary", 0.1)
    assert aliases_of(champions) == {"canary": 1}


def test_share_and_version_stay_as_they_are_unless_they_are_given(champions):
    serve(champions, "canary", 0.25, number=1)
    serve(champions, "canary")
    assert state(champions) == (1, "canary", 0.25)
    serve(champions, "canary", 0.5)
    assert state(champions) == (1, "canary", 0.5)
    serve(champions, "shadow")
    assert state(champions) == (1, "shadow", 1.0)
    assert aliases_of(champions) == {"shadow": 1}


def test_every_change_is_recorded(champions):
    serve(champions, "shadow")
    serve(champions, "canary", 0.2)
    champions.rollouts.end("worse")
    told = [(c.mode, c.version, c.share, c.reason) for c in champions.rollouts.history()]
    assert told == [
        ("shadow", 3, 1.0, "to see"), ("canary", 3, 0.2, "to see"), ("off", 3, 0.0, "worse"),
    ]  # fmt: skip
    assert state(champions) is None
    assert champions.rollouts.end("again") is None


def test_a_promotion_and_a_rollback_end_it(champions):
    serve(champions, "canary")
    champions.promote(Decision(True, 3, 2, "Better."))
    assert (state(champions), champions.find(CHAMPION)) == (None, 3)
    serve(champions, "canary", number=1)
    champions.roll_back("too high")
    assert (state(champions), champions.find(CHAMPION)) == (None, 2)
    assert [c.mode for c in champions.rollouts.history()] == ["canary", "off", "canary", "off"]


def test_the_served_challenger_is_promoted(champions):
    serve(champions, "canary")
    decision = promote_challenger(champions, "better for a week")
    assert (decision.version, decision.replaces) == (3, 2)
    assert (champions.find(CHAMPION), champions.find(PREVIOUS)) == (3, 2)
    assert champions.history()[-1].reason == "better for a week"
    with pytest.raises(RolloutError, match="No challenger is served"):
        promote_challenger(champions, "again")


def test_what_cannot_be_served_is_refused_with_a_reason(champions, registry):
    with pytest.raises(RolloutError, match="Version 2 is the champion"):
        serve(champions, "shadow", number=2)
    with pytest.raises(RegistryError, match="no version 9 of `demand`"):
        serve(champions, "shadow", number=9)
    with pytest.raises(RolloutError, match="above 0 and up to 1"):
        serve(champions, "canary", 1.5)
    assert state(champions) is None


def test_without_a_champion_there_is_nothing_to_serve_beside(registry, register):
    register("moving_average")
    with pytest.raises(RolloutError, match="no champion"):
        serve(registry, "shadow")


@pytest.mark.parametrize("outcome", ["reject", "keep", "promote"])
def test_what_the_gate_rejected_is_served_in_shadow_only(champions, monkeypatch, outcome):
    verdict = {"outcome": outcome, "reasons": ["Missed nwrmsle."], "challenger": {"version": 3}}
    monkeypatch.setattr(type(champions.versions), "find_verdict", lambda *_: verdict)
    serve(champions, "shadow")
    if outcome == "reject":
        with pytest.raises(RolloutError, match=r"not shown to anybody.*Missed nwrmsle"):
            serve(champions, "canary")
        with pytest.raises(RolloutError, match="not promoted"):
            promote_challenger(champions, "anyway")
        assert state(champions) == (3, "shadow", 1.0)
    else:
        serve(champions, "canary")
        assert state(champions) == (3, "canary", 0.1)


def test_an_alias_set_by_hand_counts_and_a_wrong_share_is_named(champions, caplog):
    client = MlflowClient()
    client.set_registered_model_alias("demand", "canary", "1")
    assert state(champions) == (1, "canary", 0.1)
    client.set_model_version_tag("demand", "1", "canary_share", "0.4")
    assert state(champions) == (1, "canary", 0.4)
    client.set_model_version_tag("demand", "1", "canary_share", "a lot")
    assert load_served(champions) is None
    assert "canary_share of version 1 is 'a lot'" in caplog.text


@pytest.mark.parametrize("former", ["canary", "shadow", None])
@pytest.mark.parametrize("mode", ["canary", "shadow"])
@pytest.mark.parametrize("steps", range(4))
def test_a_change_that_breaks_off_shows_nobody_what_was_to_be_hidden(
    champions, monkeypatch, former, mode, steps
):
    if former:
        serve(champions, former, 0.5, number=1)
    count = 0

    def breaking(call):
        def made(*arguments):
            nonlocal count
            count += 1
            if count > steps:
                raise KeyboardInterrupt
            return call(*arguments)

        return made

    client = champions.rollouts._client
    for name in ("set_registered_model_alias", "delete_registered_model_alias",
                 "set_model_version_tag", "set_registered_model_tag"):  # fmt: skip
        monkeypatch.setattr(client, name, breaking(getattr(client, name)))
    try:
        champions.rollouts.start(3, mode, 0.2, "to see")
    except KeyboardInterrupt:
        before = (1, former, 0.5) if former else None
        assert state(champions) in (before, None, (3, mode, 0.2))
    else:
        assert state(champions) == (3, mode, 0.2)


def test_the_publication_holds_the_challenger_until_it_ends(champions, publication, trained):
    serve(champions, "canary", 0.2)
    publication.save(champions.load(CHAMPION))
    found = publication.load().pointer
    assert (found.challenger.model_version, found.challenger.share) == (3, 0.2)
    assert [change["mode"] for change in found.rollouts] == ["canary"]
    publication.save(champions.load(CHAMPION))
    assert publication.load().pointer.challenger == found.challenger
    champions.roll_back("too high")
    publication.save(champions.load(CHAMPION))
    assert publication.load().pointer.challenger is None


def test_a_challenger_whose_files_are_gone_stops_no_champion(
    champions, publication, monkeypatch, caplog
):
    serve(champions, "canary")
    champion, dataset = champions.load(CHAMPION), ServedChallengerDataset(name="demand")
    assert dataset.load().version.number == 3

    def fail(*_):
        raise RegistryError("Its files are gone.")

    monkeypatch.setattr(type(champions.versions), "fetch", fail)
    publication.save(champion)
    assert publication.load().pointer.model_version == 2
    assert publication.load().pointer.challenger is None
    assert dataset.load() is None
    assert "cannot be served. Its files are gone." in caplog.text


def test_a_decision_to_try_it_first_serves_it_beside_the_champion(champions):
    dataset = ChampionDataset(name="demand")
    dataset.save(Decision(False, 3, 2, "Accepted.", mode="canary", share=0.3))
    assert (state(champions), champions.find(CHAMPION)) == ((3, "canary", 0.3), 2)


def test_who_is_served_is_told(champions):
    assert describe_served(champions) == ["Champion: version 2.", "No challenger is served."]
    serve(champions, "canary", 0.125)
    assert "version 3 answers as canary for 12.5 % of the series" in describe_served(champions)[1]
    assert champions.find(CHALLENGER) == 3
