"""What is published is whole, of one moment, and what was trained."""

import numpy as np
import pytest

from grocery_demand.storage import publication as module
from grocery_demand.storage.atomic import whole_folder
from grocery_demand.storage.pointer import POINTER, PublicationError, read_pointer
from grocery_demand.storage.publication import publish_card, read_card, read_publication
from published import FOLDER, publish_small
from worlds import make_panel


@pytest.fixture(scope="module")
def panel(long_panel):
    return long_panel


@pytest.fixture(scope="module")
def model(long_model):
    return long_model


def test_what_is_published_is_read_as_it_was(tmp_path, panel, model):
    verdict = {"outcome": "promote", "reasons": ["Promoted."], "checks": []}
    pointer = publish_small(tmp_path, panel, model, 3, verdict)
    found = read_publication(tmp_path / FOLDER)
    assert found.pointer == pointer == read_pointer(tmp_path / FOLDER)
    assert found.pointer.model_version == 3
    assert found.pointer.cutoff == str(panel.cutoff)
    assert found.model.to_files() == model.to_files()
    assert found.verdict == verdict
    np.testing.assert_array_equal(found.panel.units, panel.units)


def test_a_publication_outlives_the_panel_that_it_was_made_from(tmp_path, panel, model):
    publish_small(tmp_path, panel, model, 1)
    found = read_publication(tmp_path / FOLDER)
    other = make_panel(seed=9, n_days=60)
    with whole_folder(tmp_path / "data/03_primary/panel") as beside:
        from grocery_demand.storage.panel_folder import write_panel

        write_panel(beside, other)
    np.testing.assert_array_equal(found.panel.units, panel.units)
    np.testing.assert_array_equal(read_publication(tmp_path / FOLDER).panel.units, panel.units)


def test_the_same_number_of_another_registry_is_another_model(tmp_path, panel, model, long_average):
    publish_small(tmp_path, panel, model, 1)
    publish_small(tmp_path, panel, long_average, 1)
    assert read_publication(tmp_path / FOLDER).model.to_files() == long_average.to_files()


def test_an_interrupted_publication_leaves_the_former_one(tmp_path, panel, model, monkeypatch):
    publish_small(tmp_path, panel, model, 1)

    def break_off(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "place_model", break_off)
    with pytest.raises(KeyboardInterrupt):
        publish_small(tmp_path, make_panel(seed=9, n_days=60), model, 2)
    assert read_publication(tmp_path / FOLDER).pointer.model_version == 1


def test_old_publications_are_removed_but_never_what_is_served(tmp_path, model):
    for number in range(1, 7):
        publish_small(tmp_path, make_panel(seed=number, n_days=60), model, number)
    publish_small(tmp_path, make_panel(seed=1, n_days=60), model, 4)
    folder = tmp_path / FOLDER
    assert len(list((folder / "models").iterdir())) == 3
    assert len(list((folder / "panels").iterdir())) == 2
    assert read_publication(folder).pointer.model_version == 4


def test_nothing_published_says_what_to_do(tmp_path):
    with pytest.raises(PublicationError, match=r"No champion is published in .*kedro run"):
        read_publication(tmp_path)


@pytest.mark.parametrize("contents", ["", "[]", "{}", '{"format": "x", "version": 1}'])
def test_a_damaged_pointer_is_named(tmp_path, contents):
    (tmp_path / POINTER).write_text(contents)
    with pytest.raises(PublicationError, match=r"current\.json cannot be read"):
        read_publication(tmp_path)


def test_a_damaged_model_is_named_not_served(tmp_path, panel, model):
    publish_small(tmp_path, panel, model, 1)
    text = tmp_path / FOLDER / "models/1/model/final/model.lgb"
    text.write_bytes(text.read_bytes()[:-40])
    with pytest.raises(PublicationError, match=r"not as they were written.*kedro run"):
        read_publication(tmp_path / FOLDER)


def test_a_publication_replaced_while_it_is_read_is_read_anew(tmp_path, panel, model, monkeypatch):
    publish_small(tmp_path, panel, model, 1)
    read = module._read_parts

    def replace_once(folder, pointer):
        if pointer.model_version == 1:
            publish_small(tmp_path, panel, model, 2)
            raise FileNotFoundError("removed meanwhile")
        return read(folder, pointer)

    monkeypatch.setattr(module, "_read_parts", replace_once)
    assert read_publication(tmp_path / FOLDER).pointer.model_version == 2


def test_a_card_is_put_beside_its_model_only(tmp_path, panel, model):
    publish_small(tmp_path, panel, model, 1)
    publish_card(tmp_path / FOLDER, 1, "# The card")
    publish_card(tmp_path / FOLDER, 2, "# Of none")
    assert read_card(tmp_path / FOLDER, 1) == "# The card"
    assert read_card(tmp_path / FOLDER, 2) is None
    assert not (tmp_path / FOLDER / "models/2").exists()
