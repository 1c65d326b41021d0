"""Work done in another Python: one that is started once and kept, since starting it takes seconds."""

from __future__ import annotations

import functools
import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
PATIENCE_S = 300.0


def in_another_process(function: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
    """Return what a function says in another process, which was not forked from this one and shares nothing with it.

    Parameters
    ----------
    function : callable
        Of a module, so that the other process can import it; what it is given and returns is pickled.
    *args, **kwargs
        What it is given.

    Returns
    -------
    What it returns.
    """
    return _other_process().submit(_quietly, function, *args, **kwargs).result(PATIENCE_S)


def _quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


@functools.cache
def _other_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_with_parent)


def _leave_with_parent() -> None:
    """End this process when the one that started it ends, however it does."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
