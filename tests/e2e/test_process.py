"""What the process ``mldata`` does beside the command: it exits with its code, and leaves the collector as it was."""

from __future__ import annotations

import gc
from pathlib import Path

from tests.e2e.small import small_project


def test_the_process_exits_with_the_code_of_the_command(tmp_path: Path) -> None:
    """Output is flushed, and the exit code is that of the command, after work and after an error."""
    quick = small_project(tmp_path)
    assert "built" in quick.spawn("build").text
    assert quick.spawn("build", "nothing-of-this-name", expect=None).code == 3


def test_a_build_leaves_the_collector_as_it_was(tmp_path: Path) -> None:
    """Python collects as before for who builds from a program of his own, whether stages ran or not."""
    quick = small_project(tmp_path)
    before, frozen = (gc.isenabled(), gc.get_threshold()), gc.get_freeze_count()
    for _ in range(2):
        quick.build()
        assert (gc.isenabled(), gc.get_threshold()) == before
        assert gc.get_freeze_count() <= frozen  # what the tests have frozen may end; nothing joins it
