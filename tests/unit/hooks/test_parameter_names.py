"""Names given with --params, held against the configuration."""

import pytest

from grocery_demand.core.errors import ParameterError
from grocery_demand.hooks import ParameterNamesHook

CONF = {
    "base/parameters.yml": "training:\n  model: lightgbm\n  seed: 7\ngate: {max_nwrmsle: 0.8}\n",
    "base/parameters_forecasting.yml": "forecasting: {horizon: 16}\n",
    "base/globals.yml": "raw_dir: data/01_raw\n",
    "base/catalog.yml": (
        "sales:\n"
        "  type: pandas.CSVDataset\n"
        "  filepath: ${runtime_params:raw_dir,${globals:raw_dir}}/sales.csv\n"
        "  load_args: {sep: '${runtime_params: column-separator, tab}'}\n"
    ),
    "local/parameters.yml": "mine: {note: only here}\n",
}


def check(make_context, files=CONF, **given: object):
    context = make_context(files, **given)
    ParameterNamesHook().after_context_created(context)
    return context


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"training": {"model": "adaboost"}},
        {"training": {"seed": 8}, "gate": {"max_nwrmsle": 1.0}},
        {"forecasting": {"horizon": 7}},
        {"raw_dir": "elsewhere"},
        {"column-separator": ","},
        {"mine": {"note": "a group in conf/local"}},
    ],
)
def test_groups_and_names_that_a_file_reads_are_known(make_context, given):
    check(make_context, **given)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("trainin", "training"), ("raw_dri", "raw_dir"), ("forecast", "forecasting")],
)
def test_a_misspelt_name_is_refused_with_the_one_that_may_be_meant(make_context, name, meant):
    with pytest.raises(ParameterError) as caught:
        check(make_context, **{name: {"model": "adaboost"}})
    assert str(caught.value) == (
        f"Unknown parameter `{name}` in --params (did you mean `{meant}`?). "
        "Known: column-separator, forecasting, gate, mine, raw_dir, training."
    )


def test_a_name_unlike_any_other_is_refused_without_a_guess(make_context):
    with pytest.raises(ParameterError, match=r"^Unknown parameter `xyz` in --params\. Known: "):
        check(make_context, xyz=1)


def test_a_wrong_name_beside_right_ones_is_found(make_context):
    with pytest.raises(ParameterError, match="`verbose`"):
        check(make_context, training={"seed": 8}, raw_dir="elsewhere", verbose=True)


def test_a_name_that_only_globals_have_cannot_be_given(make_context):
    files = CONF | {"base/globals.yml": "raw_dir: data\nmodel_name: demand\n"}
    with pytest.raises(ParameterError, match="`model_name`"):
        check(make_context, files, model_name="other")


def test_a_project_without_parameters_knows_only_what_its_files_read(make_context):
    files = {name: CONF[name] for name in ("base/globals.yml", "base/catalog.yml")}
    with pytest.raises(ParameterError, match=r"Known: column-separator, raw_dir\.$"):
        check(make_context, files, training={"seed": 8})


def test_what_was_given_still_reaches_the_configuration(make_context):
    given = {"training": {"seed": 8}, "raw_dir": "elsewhere"}
    loader = check(make_context, **given).config_loader
    assert loader.runtime_params == given
    assert loader["parameters"]["training"]["seed"] == 8
    assert loader["catalog"]["sales"]["filepath"] == "elsewhere/sales.csv"
