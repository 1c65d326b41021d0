"""Every check finds what it looks for: each of these estimators breaks one promise, and is caught."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganglion import checks
from ganglion.algorithms.forecaster import Forecaster
from ganglion.algorithms.mlp import MLPClassifier, MLPRegressor
from ganglion.algorithms.perceptron import Perceptron
from ganglion.algorithms.text_cnn import TextCNN
from ganglion.checks import files, fitting, generating, images, predicting, refusals, series, sounds, texts
from ganglion.data.encoding import TableEncoder
from ganglion.data.text_encoding import TextEncoder
from ganglion.data.tokenizers import tokenizer_by_name
from ganglion.registry import all_algorithms


def broken(base, name, change):
    """Return a class like `base` whose method `name` is `change(the real one)`."""
    return type(f"Broken{base.__name__}", (base,), {name: change(getattr(base, name))})


def before(extra):
    def change(method):
        def changed(self, *args, **kwargs):
            extra(self, *args)
            return method(self, *args, **kwargs)

        return changed

    return change


def instead(function):
    return lambda method: function


def spoil(self, X, *rest):
    if isinstance(X, np.ndarray) and X.flags.writeable:
        X[0, 0] += 1


def by_batch(method):
    return lambda self, X: method(self, np.asarray(X) - np.asarray(X).mean(0))


def note_columns(self, X, *rest):
    if hasattr(X, "columns"):
        self.columns_ = list(X.columns)


def without_empty(method):
    return lambda self, X: method(self, [text or "nothing" if isinstance(text, str) else text for text in X])


def by_type(method):
    return lambda self, X: method(self, X) + isinstance(X, list)


def with_others(method):
    """Answer texts as if all were as long as the longest of them."""

    def changed(self, X):
        most = max((len(text.split()) for text in X if isinstance(text, str)), default=0)
        return method(self, [f"{text} {'of ' * (most - len(text.split()))}" if most else text for text in X])

    return changed


def peeking(method):
    def changed(self, panel, steps):
        found = method(self, panel, steps)
        return replace(found, values=found.values + found.truth[:, :1])

    return changed


def by_number(method):
    return lambda self, X: method(self, X) + len(X)


BROKEN = [
    (Forecaster, "forecast_from", peeking, series.check_the_future_is_not_seen),
    (Forecaster, "predict", by_number, series.check_series_do_not_depend_on_one_another),
    (Forecaster, "_refuse_too_short", instead(lambda *_: None), series.check_damaged_times_are_refused),
    (TextCNN, "_weights", instead(lambda *_: None), texts.check_zero_weight_of_texts),
    (TextCNN, "predict", without_empty, texts.check_empty_texts_are_refused),
    (TextCNN, "predict_proba", by_type, texts.check_text_containers_agree),
    (
        TextCNN,
        "predict_proba",
        instead(lambda self, X: np.full(len(X), np.nan)),
        texts.check_unseen_words_are_answered,
    ),
    (TextCNN, "predict_proba", with_others, predicting.check_predictions_do_not_depend_on_their_batch),
    (Perceptron, "fit", before(lambda *_: np.random.random()), fitting.check_process_is_left_as_it_was),
    (MLPClassifier, "fit", before(lambda *_: torch.rand(1)), fitting.check_process_is_left_as_it_was),
    (MLPClassifier, "predict", before(lambda *_: torch.rand(1)), fitting.check_process_is_left_as_it_was),
    (Perceptron, "fit", before(lambda self, *_: setattr(self, "epochs", 7)), fitting.check_options_are_left_as_given),
    (Perceptron, "fit", before(spoil), fitting.check_data_are_left_as_given),
    (MLPRegressor, "predict", before(spoil), fitting.check_data_are_left_as_given),
    (MLPRegressor, "predict", by_batch, predicting.check_predictions_do_not_depend_on_their_batch),
    (MLPRegressor, "_seed", instead(lambda self: 0), fitting.check_different_seeds_differ),
    (MLPRegressor, "_weights", instead(lambda *_: None), fitting.check_zero_weight_equals_absence),
    (MLPRegressor, "_weights", instead(lambda *_: None), refusals.check_bad_weights_are_refused),
    (MLPClassifier, "_weight", instead(lambda self, samples: samples.weight), fitting.check_class_weight_counts),
    (MLPClassifier, "fit", before(note_columns), fitting.check_refit_equals_fit),
    (MLPClassifier, "_check_fitted", instead(lambda self: None), refusals.check_unfitted_is_refused),
    (
        MLPClassifier,
        "predict_proba",
        instead(lambda self, X: np.full((len(X), 3), np.nan)),
        predicting.check_mixed_frame,
    ),
]


@pytest.mark.parametrize(("base", "name", "change", "check"), BROKEN)
def test_a_broken_promise_is_found(base, name, change, check):
    check(base())
    with pytest.raises(Exception) as caught:
        check(broken(base, name, change)())
    assert isinstance(caught.value, AssertionError | AttributeError)


def test_silent_callbacks_are_found():
    deaf = broken(
        Perceptron,
        "_correct",
        lambda method: lambda self, *args: method(self, *args[:-1], replace(args[-1], callbacks=())),
    )
    with pytest.raises(AssertionError, match="the callback did not see every row once"):
        fitting.check_history(deaf())


def test_a_rare_category_in_the_file_is_found(monkeypatch):
    fit = TableEncoder.fit.__func__
    monkeypatch.setattr(
        TableEncoder, "fit", classmethod(lambda cls, data, weight=None: fit(cls, data, weight, min_count=1))
    )
    with pytest.raises(AssertionError, match=r"the model file holds .'the rare text'"):
        files.check_model_file_holds_no_training_rows(Perceptron())


def test_a_rare_word_in_the_file_is_found(monkeypatch):
    fit = TextEncoder.fit.__func__
    every = tokenizer_by_name("words(min_count=1)")
    monkeypatch.setattr(TextEncoder, "fit", classmethod(lambda cls, data, settings, longest: fit(cls, data, every)))
    with pytest.raises(AssertionError, match=r"the model file holds .'zyzzyva', '7741'"):
        texts.check_model_file_holds_no_single_text(TextCNN())


def test_a_number_in_the_file_is_found():
    noted = broken(Perceptron, "fit", lambda method: lambda self, X, y: noted_fit(method, self, X, y))

    def noted_fit(method, self, X, y):
        method(self, X, y)
        self.metrics_ = {"worst": float(X["number"][7])}
        return self

    noted.__name__, noted.__module__ = "Perceptron", Perceptron.__module__  # so that the registry knows it
    with pytest.raises(AssertionError, match="the number as text"):
        files.check_model_file_holds_no_training_rows(noted())


def test_tags_choose_the_checks():
    chosen = {name: {check.__name__ for _, check in checks.checks_for([cls])} for name, cls in all_algorithms().items()}
    assert "check_several_labels" in chosen["MLPClassifier"] - chosen["Perceptron"]
    assert "check_several_numbers" in chosen["MLPRegressor"] - chosen["MLPClassifier"]
    assert "check_one_class_is_refused" in chosen["Perceptron"] - chosen["MLPRegressor"]
    assert "check_image_stacks" in chosen["Perceptron"] & chosen["SegmentationCNN"]
    assert "check_mixed_frame" in chosen["CNNClassifier"] - chosen["SegmentationCNN"]


def test_every_check_is_on_the_list():
    listed = [check.__name__ for _, check in checks.CHECKS]
    rooms = (fitting, refusals, predicting, files, images, texts, series, sounds, generating)
    assert sorted(listed) == sorted(name for room in rooms for name in vars(room) if name.startswith("check_"))
