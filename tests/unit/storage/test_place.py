"""Places that would replace one another, however they are written."""

import pytest

from grocery_demand.storage.place import Place, PlacesError, require_apart


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("data/parts", "data/parts"),
        ("data/parts", "./data/other/../parts/"),
        ("data/parts", "data/parts/sales"),
        ("data/parts/sales", "data"),
        ("s3://bucket/parts", "s3://bucket/parts/"),
        ("s3://bucket/parts/sales", "s3://bucket//parts"),
    ],
)
def test_the_same_place_and_one_within_another_are_refused_with_both_names(one, other):
    places = {"`sales_parts`": Place(one), "`panel_parts`": Place("far"), "`more`": Place(other)}
    with pytest.raises(PlacesError, match=r"`sales_parts` \(.*\) and `more` \(.*of its own"):
        require_apart(places)


def test_places_side_by_side_are_apart():
    uris = ["data/parts", "data/parts-2", "s3://bucket/parts", "s3://bucket/parts-2", "s3://data"]
    require_apart({uri: Place(uri) for uri in uris})


def test_only_versions_of_ours_are_removed(tmp_path):
    place = Place(str(tmp_path))
    kept, stale = place.new_version(), place.new_version()
    for name in (kept, stale, "version-2", "version-notes", "releases"):
        place.put(f"{name}/file.txt", b"x")
    place.remove_versions_but({kept})
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted([kept, "version-2", "version-notes", "releases"])
