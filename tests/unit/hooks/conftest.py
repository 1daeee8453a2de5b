"""A project's configuration as the hooks are told of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import _create_hook_manager

MakeContext = Callable[..., KedroContext]


@pytest.fixture
def make_context(tmp_path) -> MakeContext:
    """Make Kedro's context of a project in tmp_path from the texts of its files in conf/."""

    def make(files: dict[str, str], **runtime_params: object) -> KedroContext:
        for folder in ("base", "local"):
            (tmp_path / "conf" / folder).mkdir(parents=True)
        for name, text in files.items():
            (tmp_path / "conf" / name).write_text(text, encoding="utf-8")
        loader = OmegaConfigLoader(
            conf_source=str(tmp_path / "conf"),
            base_env="base",
            default_run_env="local",
            runtime_params=runtime_params,
        )
        return KedroContext(Path(tmp_path), loader, None, "demand", _create_hook_manager())

    return make
