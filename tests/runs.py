"""Ways to run a pipeline in a test: on a catalog in memory, and with a hook as a session does."""

from collections.abc import Mapping

from kedro.framework.hooks import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner


def run_pipeline(
    pipeline: Pipeline, contents: Mapping[str, object], made: dict[str, object] | None = None
) -> dict[str, object]:
    """Run a pipeline on a catalog in memory; return all that it made, by name.

    What was made before an error is found in `made`, if that is given.
    """
    made = {} if made is None else made
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in contents.items()})
    for name in pipeline.all_outputs():
        catalog[name] = _Kept(made, name)
    SequentialRunner().run(pipeline, catalog)
    return made


def run_with_hook(hook: object, pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Run a pipeline and call a hook around it as Kedro's session does."""
    manager = _create_hook_manager()
    manager.register(hook)
    told = {"run_params": {}, "pipeline": pipeline, "catalog": catalog}
    manager.hook.before_pipeline_run(**told)
    try:
        outputs = SequentialRunner().run(pipeline, catalog, manager)
    except Exception as error:
        manager.hook.on_pipeline_error(error=error, **told)
        raise
    manager.hook.after_pipeline_run(run_result=outputs, **told)


class _Kept(MemoryDataset):
    """A dataset whose contents outlive the run: the runner empties others after their last use."""

    def __init__(self, kept: dict[str, object], name: str) -> None:
        super().__init__()
        self._kept, self._name = kept, name

    def save(self, data: object) -> None:
        self._kept[self._name] = data
        super().save(data)
