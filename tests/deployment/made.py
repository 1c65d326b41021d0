"""Small models, and what is written of them."""

import warnings

import ganglion as gg
from ganglion.errors import GanglionWarning


def small(cls, **options):
    few = {"epochs": 1, "random_state": 0, "pretraining_epochs": 1, "hidden": (8,), "maps": 4, "layers": 1, "width": 8}
    few |= {"heads": 2, "embedding": 8, "units": 8, "channels": 4, "depth": 1, "latent": 2}
    names = cls.__dataclass_fields__
    return cls(**{name: value for name, value in (few | options).items() if name in names})


def fitted(model, X, y=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GanglionWarning)
        return model.fit(X, y)


def exported(model, path, rows=None):
    parity = gg.export(model, path, rows=rows).parity
    assert parity.holds
    return gg.OnnxModel.load(path)
