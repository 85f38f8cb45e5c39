"""Lets a command of dbt say in one line that its target path is no folder. dbt 1.11 shows a traceback."""

from dbt.flags import get_flags
from dbt_common.exceptions import DbtRuntimeError

from groundswell.disk import require_folders
from groundswell.environment import SettingError


def require_target() -> None:
    """Call it before dbt reads the project. Raises DbtRuntimeError."""
    try:
        require_folders(getattr(get_flags(), "TARGET_PATH", None) or "target")
    except SettingError as error:
        raise DbtRuntimeError(str(error)) from None
