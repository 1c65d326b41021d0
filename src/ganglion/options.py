"""Options as data: one declaration feeds the signature, the checks, the help, the docs and the tests.

An estimator declares its options as dataclass fields:

    @hyperparameters
    class MLPClassifier(...):
        hidden: tuple[int, ...] = option((100,), "Units of each hidden layer.", at_least=1)

They are stored untouched, as scikit-learn's `clone` and `set_params` need, and checked when `fit` starts.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import math
import numbers
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, dataclass_transform

from ganglion.errors import InvalidParameter, UnknownParameter, suggestion

T = TypeVar("T", bound=type)
_KEY = "ganglion.option"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What is known of an option beside its type: its text and its limits."""

    text: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    check: Callable[[Any], Any] | None = None  # raises InvalidParameter; for names such as "adam(beta1=0.8)"

    @property
    def limits(self) -> str:
        """Return the limits in words: "at least 0 and below 1"."""
        words = [
            f"{word} {limit:.12g}"
            for word, limit in (
                ("at least", self.at_least),
                ("above", self.above),
                ("at most", self.at_most),
                ("below", self.below),
            )
            if limit is not None
        ]
        return " and ".join(words)

    def allows(self, number: Any) -> bool:
        """Return whether a number is inside the limits; NaN, infinity and what no float can hold never are."""
        try:
            finite = math.isfinite(number)
        except OverflowError:
            return False
        return finite and (
            (self.at_least is None or number >= self.at_least)
            and (self.above is None or number > self.above)
            and (self.at_most is None or number <= self.at_most)
            and (self.below is None or number < self.below)
        )


def option(default: Any, text: str, **limits: Any) -> Any:
    """Declare an option: its default, what it does in one sentence, and its limits.

    Parameters
    ----------
    default : object
        Used as it is; immutable, as every default in scikit-learn's contract.
    text : str
        One or two sentences, for the docs, `--help` and error messages.
    **limits
        `at_least`, `above`, `at_most`, `below` bound numbers, or each number of a tuple. `check` is a function that
        raises `InvalidParameter` for a value that the type alone does not exclude.
    """
    return dataclasses.field(default=default, metadata={_KEY: Option(text=text, **limits)})


@dataclass_transform(kw_only_default=True, field_specifiers=(option,))
def hyperparameters(cls: T) -> T:
    """Turn the fields of an estimator class into an honest keyword-only signature, and document them.

    Without `eq` and `repr`, which scikit-learn's BaseEstimator has. A mis-spelt option raises UnknownParameter, with
    the nearest name.
    """
    cls = dataclasses.dataclass(kw_only=True, eq=False, repr=False)(cls)
    plain_init = cls.__init__
    known = [field.name for field in dataclasses.fields(cls)]

    @functools.wraps(plain_init)
    def __init__(self, *args, **given):  # noqa: N807
        if args:
            raise UnknownParameter(
                f"{cls.__name__}({', '.join(map(repr, args))[:60]}): options are given by name, as in "
                f"{cls.__name__}({known[0]}=…). Its options: {', '.join(sorted(known))}."
            )
        for name in given:
            if name not in known:
                raise unknown_option(cls.__name__, name, known)
        plain_init(self, **given)

    cls.__init__ = __init__
    cls.__doc__ = _documented(cls)
    return cls


_ELSEWHERE = {  # what other libraries call an option: what it is called here
    "alpha": "weight_decay",
    "dropout_rate": "dropout",
    "eta0": "learning_rate",
    "hidden_layer_sizes": "hidden",
    "layers": "hidden",
    "learning_rate_init": "learning_rate",
    "lr": "learning_rate",
    "max_iter": "epochs",
    "max_epochs": "epochs",
    "n_epochs": "epochs",
    "n_iter_no_change": "patience",
    "n_jobs": "threads",
    "seed": "random_state",
    "solver": "optimizer",
}


def unknown_option(owner: str, given: str, known: list[str]) -> UnknownParameter:
    """Return the error for an option that `owner` does not have."""
    here = _ELSEWHERE.get(given, "")
    hint = f" Did you mean {here!r}?" if here in known else suggestion(given, known)
    return UnknownParameter(f"{owner} has no option {given!r}.{hint} Its options: {', '.join(sorted(known))}.")


@functools.cache
def options_of(cls: type) -> dict[str, tuple[Option, Any, Any]]:
    """Return the options of an estimator class, name to (option, type annotation, default)."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: (field.metadata[_KEY], hints[field.name], field.default)
        for field in dataclasses.fields(cls)
        if _KEY in field.metadata
    }


def check_options(owner: object) -> None:
    """Check every option of an estimator, or raise InvalidParameter that names the option, its value and its limits."""
    for name, (declared, annotation, _) in options_of(type(owner)).items():
        check_option(type(owner).__name__, name, getattr(owner, name), declared, annotation)


def check_option(owner: str, name: str, value: Any, declared: Option, annotation: Any) -> None:
    """Check one value against its declaration."""
    if not _matches(value, annotation):
        near = suggestion(value, _literals(annotation)) if isinstance(value, str) else ""
        if _matches((value,), annotation):
            near = f" Did you mean {(value,)!r}?"
        allowed = describe(annotation, declared)
        raise InvalidParameter(f"{owner}({name}={value!r}): {name} is {allowed}.{near} {declared.text}")
    for number in value if isinstance(value, tuple | list) else (value,):
        if isinstance(number, numbers.Real) and not isinstance(number, bool) and not declared.allows(number):
            allowed = describe(annotation, declared)
            raise InvalidParameter(f"{owner}({name}={value!r}): {name} is {allowed}. {declared.text}")
    if declared.check is not None and value is not None:
        declared.check(value)


def parse_option(owner: str, name: str, text: str, declared: Option, annotation: Any) -> Any:
    """Read an option from the command line: "256,128" for a tuple, "none" for None, then check it."""
    value = _parse(text.strip(), annotation)
    check_option(owner, name, value, declared, annotation)
    return value


def to_json(value: Any) -> Any:
    """Return an option's value as JSON can hold it; functions are refused by `json.dumps` later, on purpose."""
    if type(value).__name__ in ("bool", "bool_"):  # numpy's own, too
        return bool(value)
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {"pairs": [[to_json(key), to_json(item)] for key, item in value.items()]}
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    if dataclasses.is_dataclass(value):
        return str(value)
    return value


def from_json(value: Any) -> Any:
    """Return an option's value as it was before `to_json`."""
    if isinstance(value, list):
        return tuple(from_json(item) for item in value)
    if isinstance(value, dict):
        return {from_json(key): from_json(item) for key, item in value["pairs"]}
    return value


def call_by_name(kind: str, given: Any, known: Mapping[str, type]) -> Any:
    """Return the frozen dataclass that a text such as "sgd(momentum=0.9)" names.

    Parameters
    ----------
    kind : str
        What is named, for messages: "optimizer".
    given : str or object
        An instance of one of `known` is returned as it is.
    known : mapping of str to type
        Name to frozen dataclass; its fields are the settings, checked at its birth.

    Raises
    ------
    InvalidParameter
        If the name or a setting does not exist, or the text is no call with literal settings.
    """
    if isinstance(given, tuple(known.values())):
        return given
    name, positional, settings = _read_call(kind, given)
    if name not in known:
        raise InvalidParameter(
            f"no {kind} is called {name!r}.{suggestion(name, known)} Known: {', '.join(sorted(known))}."
        )
    fields = [field.name for field in dataclasses.fields(known[name])]
    if len(positional) > len(fields):
        raise InvalidParameter(f"{kind}={given!r}: {name} has {len(fields)} settings ({', '.join(fields)}).")
    settings = dict(zip(fields, positional, strict=False)) | settings
    hints = _types_of(known[name]) if settings else {}
    for setting, value in settings.items():
        if setting not in fields:
            raise unknown_option(f"{kind} {name}", setting, fields)
        if not _matches(value, hints[setting]):
            allowed = _sentence(hints[setting], Option(text=""))
            raise InvalidParameter(f"{kind} {name}({setting}={value!r}): {setting} is {allowed}.")
    return known[name](**settings)


_types_of = functools.cache(typing.get_type_hints)


def call_text(name: str, settings: object) -> str:
    """Return a frozen dataclass of settings as the text that names it: `sgd(momentum=0.9)`."""
    changed = [
        f"{field.name}={getattr(settings, field.name)!r}"
        for field in dataclasses.fields(settings)  # type: ignore[arg-type]
        if getattr(settings, field.name) != field.default
    ]
    return f"{name}({', '.join(changed)})" if changed else name


def in_range(owner: str, name: str, value: Any, **limits: Any) -> None:
    """Check a number of a frozen settings class at its birth."""
    declared = Option(text="", **limits)
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not declared.allows(value):
        raise InvalidParameter(f"{owner}({name}={value!r}): {name} is a number {declared.limits}.")


def _read_call(kind: str, given: Any) -> tuple[str, list[Any], dict[str, Any]]:
    problem = InvalidParameter(
        f"{kind}={given!r}: give a name, or a name with settings in brackets, as in 'sgd(momentum=0.9)'."
    )
    if not isinstance(given, str) or len(given) > 1000:
        raise problem
    try:
        call = ast.parse(given.strip(), mode="eval").body
        if isinstance(call, ast.Name):
            return call.id.lower(), [], {}
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise problem
        positional = [ast.literal_eval(argument) for argument in call.args]
        if any(keyword.arg is None for keyword in call.keywords):  # "sgd(**{…})"
            raise problem
        settings = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise problem from error
    return call.func.id.lower(), positional, settings


def _matches(value: Any, annotation: Any) -> bool:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(_matches(value, argument) for argument in arguments)
    if origin is typing.Literal:
        return any(type(value) is type(argument) and value == argument for argument in arguments)
    if origin is tuple:  # a list is as good: command lines and grids give lists
        return isinstance(value, tuple | list) and all(_matches(item, arguments[0]) for item in value)
    if origin is dict or annotation is dict:
        return isinstance(value, Mapping)
    if origin is Callable or annotation is Callable:
        return callable(value) and not isinstance(value, type)
    if annotation in (Any, object):
        return True
    if annotation is bool:
        return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")  # numpy's own, of grids
    if annotation is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if annotation is float:
        return isinstance(value, numbers.Real) and not isinstance(value, bool)
    return value is None if annotation is type(None) else isinstance(value, annotation)


def _literals(annotation: Any) -> list[str]:
    if typing.get_origin(annotation) is typing.Literal:
        return [argument for argument in typing.get_args(annotation) if isinstance(argument, str)]
    return [name for argument in typing.get_args(annotation) for name in _literals(argument)]


def _words(annotation: Any) -> list[str]:
    """Return the types of an annotation in words, one each."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return [word for argument in arguments for word in _words(argument)]
    if origin is typing.Literal:
        return [repr(argument) for argument in arguments]
    if origin is tuple:
        return [f"a tuple of {'integers' if arguments[0] is int else 'numbers'}"]
    if origin is dict or annotation is dict:
        return ["a dict"]
    plain = {int: "an integer", float: "a number", bool: "True or False", str: "a text", type(None): "None"}
    if origin is Callable or annotation is Callable:
        return ["a function"]
    if annotation in (Any, object):
        return ["a name"]
    return [plain.get(annotation, getattr(annotation, "__name__", str(annotation)))]


def _sentence(annotation: Any, declared: Option) -> str:
    words = _words(annotation)
    if declared.limits:
        words = [f"{word} {declared.limits}" if word.split()[-1] in _NUMBERS else word for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


_NUMBERS = {"integer", "number", "integers", "numbers"}


def describe(annotation: Any, declared: Option) -> str:
    """Return type and limits of an option in words: "an integer at least 1 or 'auto'"."""
    return _sentence(annotation, declared)


def _parse(text: str, annotation: Any) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        # "none" is a tuple of nothing too, and a text takes anything
        for argument in sorted(arguments, key=lambda each: (each is str, each is not type(None))):
            value = _parse(text, argument)
            if _matches(value, argument):
                return value
        return text
    if origin is typing.Literal:
        return next((argument for argument in arguments if str(argument) == text), text)
    if annotation is type(None):
        return None if text.lower() in ("none", "null") else text
    if annotation is bool:
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    if origin is tuple:
        if text.lower() == "none":
            return ()
        parts = [part for part in text.strip("()[] ").replace(" ", ",").split(",") if part]
        return tuple(_parse(part, arguments[0]) for part in parts)
    if origin is dict or annotation is dict:
        try:
            return ast.literal_eval(text)  # unlike JSON it tells the class 1 from the class "1"
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return text
    if annotation in (int, float):
        try:
            return annotation(text)
        except ValueError:
            return text
    return text


def _documented(cls: type) -> str:
    """Return the class's docstring with the section `Parameters` written from its options."""
    lines = [(cls.__doc__ or "").rstrip(), "", "    Parameters", "    ----------"]
    for field in dataclasses.fields(cls):
        declared = field.metadata.get(_KEY)
        if declared is not None:
            kind = field.type.__name__ if isinstance(field.type, type) else field.type
            lines.append(f"    {field.name} : {kind}, default={field.default!r}")
            lines.append(f"        {declared.text}" + (f" Allowed: {declared.limits}." if declared.limits else ""))
    return "\n".join(lines) + "\n"
