"""The `Audit`: what was found in each group, how far groups are apart, and what that means in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import RenderableType

from ganglion.drawing.gallery import Charts
from ganglion.errors import unknown_name
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.shown import Shown, plain
from ganglion.fairness.charts import charts_of
from ganglion.fairness.gaps import Gap
from ganglion.fairness.page import fragment, inner
from ganglion.fairness.rates import Rate
from ganglion.fairness.terminal import render

Outcome = Literal["unequal", "undecided", "even", "not judged"]


@dataclass(frozen=True, slots=True)
class Group:
    """One group of people.

    Attributes
    ----------
    name : str
    n : int
        Rows.
    share : float
        Of all rows.
    rates : dict of str to Estimate
        Each with its 95 % interval.
    too_small : str
        Why the group is not judged, or empty. Its figures are shown all the same, as far as there are any.
    """

    name: str
    n: int
    share: float
    rates: Mapping[str, Estimate]
    too_small: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """The groups of one sensitive column (or of several together), for one class or target.

    Attributes
    ----------
    by : str
        The column; of several, their names with × between them.
    positive : str
        The class that rates are of; of numbers to be predicted, the name of the target.
    columns : tuple of Rate
        Which rates there are, in reading order.
    groups : tuple of Group
    gaps : dict of str to Gap
    outcome : str
        "unequal", "undecided", "even" or "not judged".
    verdict : str
        In plain words.
    """

    by: str
    positive: str
    columns: tuple[Rate, ...]
    groups: tuple[Group, ...]
    gaps: Mapping[str, Gap]
    outcome: Outcome
    verdict: str

    def group(self, name: str) -> Group:
        """Return the group called `name`; an unknown name raises InvalidParameter with the nearest one."""
        found = {each.name: each for each in self.groups}
        if name not in found:
            raise unknown_name("group", name, found)
        return found[name]


@dataclass(frozen=True, repr=False)
class Audit(Shown):
    """What an audit found.

    Attributes
    ----------
    model : str
        What was audited.
    n_rows : int
    sections : tuple of Section
        One for each sensitive column, class and target; of several columns one more, all of them together.
    notes : tuple of str
        Which class is the positive one, how numbers were cut, what was too small.
    facts : dict of str to str
        What is needed to repeat it.
    """

    model: str
    n_rows: int
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, str]

    def __repr__(self) -> str:
        outcomes = ", ".join(f"{each.by}: {each.outcome}" for each in self.sections[:6])
        return f"Audit({self.model}, {self.n_rows} rows, {outcomes})"

    def __rich__(self) -> RenderableType:
        return render(self)

    def _repr_html_(self) -> str:
        return fragment(self)

    @property
    def verdict(self) -> str:
        """The verdicts of all sections, in plain words."""
        return " ".join(each.verdict for each in self.sections)

    @property
    def inner_html(self) -> str:
        """Its sections as HTML for a page that has the style of reports already."""
        return inner(self)

    def section(self, by: str | None = None, positive: object = None) -> Section:
        """Return the section of a sensitive column, the first unless named, and of a class where there are several."""
        names = dict.fromkeys(each.by for each in self.sections)
        if by is not None and by not in names:
            raise unknown_name("sensitive column", by, names)
        found = {each.positive: each for each in self.sections if by in (None, each.by)}
        if positive is not None and str(positive) not in found:
            raise unknown_name("class", str(positive), found)
        return next(iter(found.values())) if positive is None else found[str(positive)]

    def to_dict(self) -> dict[str, Any]:
        """Return the audit in plain types that JSON can hold."""
        return {
            "verdict": self.verdict,
            "model": self.model,
            "n_rows": self.n_rows,
            "sections": [_section(each) for each in self.sections],
            "notes": list(self.notes),
            "facts": dict(self.facts),
        }

    def plot(self) -> Charts:
        """Return a chart of the rates of the groups of each section, by name."""
        return charts_of(self)


def _section(section: Section) -> dict[str, Any]:
    kept = plain(section)
    del kept["columns"]
    return kept
