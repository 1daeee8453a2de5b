import pytest

from grocery_demand.delivery.release import ReleaseError, refuse_dirty_tree


def test_files_of_no_commit_are_not_released_unless_that_is_allowed(tmp_path):
    with pytest.raises(ReleaseError, match="clone the project"):
        refuse_dirty_tree(tmp_path, allow=False)
    assert refuse_dirty_tree(tmp_path, allow=True) == "unknown"
