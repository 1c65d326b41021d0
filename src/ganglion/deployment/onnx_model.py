"""An exported model, ready to answer: onnxruntime and numpy alone, no torch.

model = OnnxModel.load("model.onnx")
model.predict({"age": [39, 50], "workclass": ["Private", None]})
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganglion.deployment.forms import columns_of
from ganglion.deployment.packages import onnx_package
from ganglion.deployment.rows import feeds_of
from ganglion.deployment.said import arranged, predicted
from ganglion.deployment.signature import Signature
from ganglion.deployment.windows import is_one
from ganglion.errors import InvalidInput, InvalidModel

SIGNATURE, CARD, VERSION, SUMMARY = "ganglion_signature", "ganglion_card", "ganglion_version", "ganglion_summary"
TOGETHER = 4096  # rows, or so many steps of texts and sequences, that go through the graph at once
HEARD_TOGETHER = 2**20  # samples of recordings
PIXELS = 2**22  # of pictures that do


class OnnxModel:
    """A model file that `export` wrote. Any number of threads may ask it at the same time.

    Parameters
    ----------
    raw : bytes
        The file's content.
    source : str
        Its name, for messages.
    threads : int
        Threads of one run; a small model is slower on many.

    Attributes
    ----------
    signature : Signature
        What it takes and gives.
    card : str
        The model card, Markdown.
    summary : dict
        What training data looked like, where the model knows it; else empty.
    """

    def __init__(self, raw: bytes, source: str = "the model", *, threads: int = 1) -> None:
        runtime = onnx_package("onnxruntime", "running an exported model")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        errors = tuple(getattr(runtime.capi.onnxruntime_pybind11_state, name) for name in _ERRORS)
        try:
            self._session = runtime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
        except errors as error:
            what = str(error).splitlines()[0][:200]
            raise InvalidModel(f"{source} is no ONNX file that can be run ({what}). Export the model again.") from error
        self._errors = errors
        stored = self._session.get_modelmeta().custom_metadata_map
        if SIGNATURE not in stored:
            raise InvalidModel(
                f"{source} is an ONNX file without Ganglion's signature. Give one that `ganglion export` wrote."
            )
        self.signature = Signature.from_json(stored[SIGNATURE])
        self.card, self.summary = stored.get(CARD, ""), json.loads(stored.get(SUMMARY, "{}"))
        self._check_signature(source)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 1) -> OnnxModel:
        """Load a file that `export` wrote.

        Parameters
        ----------
        path : path-like
        threads : int
            Threads of one run.

        Raises
        ------
        InvalidModel
            If the file is missing, damaged, or without Ganglion's signature.
        MissingExtra
            If onnxruntime is not installed.
        """
        source = Path(path).expanduser()
        try:
            raw = source.read_bytes()
        except FileNotFoundError as error:
            raise InvalidModel(f"there is no model file {source}. The current folder is {Path.cwd()}.") from error
        except OSError as error:
            raise InvalidModel(f"{source} cannot be read: {error.strerror or error}.") from error
        return cls(raw, str(source), threads=threads)

    def run(self, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return all outputs for the rows of some columns, in one run.

        Parameters
        ----------
        columns : mapping of str to array-like
            One for each input of `signature`, (N,) or (N, …). Numbers may be texts of them, missing values None or NaN.

        Returns
        -------
        dict of str to ndarray
            One for each output of `signature`.

        Raises
        ------
        InvalidInput
            If an input is missing, lengths differ, or values are of another kind.
        """
        return self._run(feeds_of(self.signature, columns))

    def predict(self, X: Any) -> np.ndarray:
        """Return the labels, or numbers, of rows, as the estimator's `predict` does.

        Parameters
        ----------
        X : mapping of str to columns, frame, array-like, images, or list of texts, sequences or recordings

        Returns
        -------
        ndarray of shape (n_samples,), (n_samples, n_labels) or (n_samples, n_targets)
            Of segmenters (n_samples, height, width); of taggers (n_samples,) lists, a label a step; of detectors
            (n_samples,) `Boxes`; of forecasters (horizon,) or (n_series, horizon, n_targets), without the axes that
            there is one of by design.

        Notes
        -----
        Bytes of pictures of another size than that of training are resized: a stack by the graph, single pictures and
        files as the estimator does it, to the same pixels. Boxes are in the pixels of a stack as it is given, and of
        single pictures in those of the size of training, as the estimator's own are.

        Raises
        ------
        InvalidInput
            If the model says neither: one that codes data alone, which `transform` is asked of.
        """
        return self._of_one(X, predicted(self.signature, self.answer(X)))

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Return the quantiles of the next steps, (…, n_levels), as a forecaster's own; levels: `signature.levels`.

        Parameters
        ----------
        X : as for `predict`

        Raises
        ------
        InvalidInput
            If the model gives none.
        """
        return self._of_one(X, self._said(X, "quantiles"))

    def transform(self, X: Any) -> np.ndarray:
        """Return the code of each row, (n_samples, n_codes), as the estimator's `transform` does.

        Parameters
        ----------
        X : mapping of str to columns, frame, array-like, or images

        Raises
        ------
        InvalidInput
            If the model gives none.
        """
        return self._said(X, "codes")

    def decision_function(self, X: Any) -> np.ndarray:
        """Return how usual each row is, (n_samples,): below 0 it is an outlier; as the estimator's own.

        Parameters
        ----------
        X : mapping of str to columns, frame, array-like, or images

        Raises
        ------
        InvalidInput
            If the model looks for no outliers.
        """
        return self._said(X, "score")

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, (n_samples, n_classes), in the order of `signature.classes`.

        Of segmenters (n_samples, n_classes, height, width); of taggers (n_samples,) arrays (n_steps, n_classes).

        Parameters
        ----------
        X : mapping of str to columns, frame, array-like, images, or list of texts, sequences or recordings

        Raises
        ------
        InvalidInput
            If the model gives none.
        """
        return self._said(X, "probabilities")

    def answer(self, X: Any) -> dict[str, np.ndarray]:
        """Return all that the model says of X: one array under the role of each output ("label", "probabilities", …).

        Parameters
        ----------
        X : mapping of str to columns, frame, array-like, images, or list of texts, sequences or recordings
            Any number of rows: they go through the graph some at a time.
        """
        feeds = feeds_of(self.signature, columns_of(self.signature, X))
        n = len(next(iter(feeds.values())))
        size = self._together(feeds)
        parts = [
            self._run({name: values[start : start + size] for name, values in feeds.items()})
            for start in range(0, n, size)
        ]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        said = {each.role: joined[each.name] for each in self.signature.outputs}
        return arranged(self.signature, said, feeds)

    def _of_one(self, X: Any, said: np.ndarray) -> np.ndarray:
        """Return what was said of X, without the axis of series where there is one by design."""
        return said[0] if self.signature.task == "forecasting" and is_one(self.signature, X) else said

    def _together(self, feeds: Mapping[str, np.ndarray]) -> int:
        """Return how many rows go through the graph at once."""
        if self.signature.modality == "image":
            return max(1, min(TOGETHER, PIXELS // max(values[0].size for values in feeds.values())))
        longest = max(values.shape[1] if values.ndim > 1 else 1 for values in feeds.values())
        if self.signature.inputs[0].kind == "text":
            longest = max(max(map(len, values)) for values in feeds.values())
        together = {"text": TOGETHER, "sequence": TOGETHER, "audio": HEARD_TOGETHER}.get(self.signature.modality)
        return max(1, together // longest) if together else TOGETHER

    def _said(self, X: Any, role: str) -> np.ndarray:
        """Return what is said of X in one role; raises InvalidInput if the model has no such answer."""
        if self.signature.output(role) is None:
            known = ", ".join(each.role for each in self.signature.outputs)
            raise InvalidInput(f"a {self.signature.estimator} gives no {role}, but: {known}. Ask for answer(X).")
        return self.answer(X)[role]

    def run_checked(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return all outputs for inputs that are as the graph takes them already: for servers, which have checked them.

        Parameters
        ----------
        feeds : mapping of str to ndarray
            One for each input of `signature`, of its type and shape; texts are objects.
        """
        return self._run(dict(feeds))

    def _run(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        names = [each.name for each in self.signature.outputs]
        try:
            return dict(zip(names, self._session.run(names, feeds), strict=True))
        except self._errors as error:
            shapes = ", ".join(f"{name} {values.shape}" for name, values in feeds.items())
            raise InvalidInput(
                f"the model could not be run on {shapes}: {str(error).splitlines()[0][:200]}."
            ) from error

    def _check_signature(self, source: str) -> None:
        """Refuse a file whose signature and graph do not belong together."""
        given = (
            {each.name for each in self._session.get_inputs()},
            {each.name for each in self._session.get_outputs()},
        )
        said = ({each.name for each in self.signature.inputs}, {each.name for each in self.signature.outputs})
        if given != said:
            raise InvalidModel(f"{source}: its graph and its signature do not belong together. Export the model again.")


_ERRORS = (
    "Fail",
    "InvalidArgument",
    "InvalidGraph",
    "InvalidProtobuf",
    "NoSuchFile",
    "NotImplemented",
    "RuntimeException",
)
