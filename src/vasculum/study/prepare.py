"""The processors of a study: loaded, ordered, and named so that a change in any of them is noticed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from vasculum.corpus.corpus import Corpus
from vasculum.errors import ProcessorError, UsageError
from vasculum.pixels.policy import DecodePolicy
from vasculum.processing import fingerprint
from vasculum.processing.job import Columns, order
from vasculum.processing.load import Loaded, load, refer
from vasculum.study import plan as planning
from vasculum.study.kinds import kind_to_text
from vasculum.tables import MANIFEST_SCHEMA, RESULTS_SCHEMA


@dataclasses.dataclass(frozen=True, slots=True)
class Prepared:
    """The processors of a study, loaded, with all that names them."""

    loaded: list[Loaded]
    entries: list[dict[str, Any]]
    policy: DecodePolicy
    size: str
    fingerprint: str

    @property
    def columns(self) -> Columns:
        """The columns that they give."""
        return Columns.of(self.loaded)


def prepare(corpus: Corpus, processors: Sequence[Any], size: str | None) -> Prepared:
    """Return the processors loaded and named. Raises ProcessorError, UsageError where that cannot be."""
    ready = load_in_order(processors)
    policy = DecodePolicy()
    which = planning.the_size(corpus, size)
    entries = [_entry(one) for one in ready]
    mark = fingerprint.of_study(policy.as_dict(), which, [
        {key: entry[key] for key in ("name", "fingerprint")} for entry in sorted(entries, key=lambda e: str(e["name"]))
    ])  # fmt: skip
    return Prepared(ready, entries, policy, which, mark)


def load_in_order(processors: Sequence[Any]) -> list[Loaded]:
    """Return the processors loaded, each after those that it asks for. Raises ProcessorError, UsageError."""
    if not processors:
        raise UsageError("name at least one processor, such as thumbnail, or FILE.py:NAME.")
    loaded = [load(refer(spec)) for spec in processors]
    for name, count in Counter(one.name for one in loaded).items():
        if count > 1:
            raise UsageError(f"two processors are called {name!r}. Give one another name: other={name}(…).")
    _check_columns(loaded)
    ready = order(loaded)
    for missing in [one for one in loaded if one not in ready]:
        raise ProcessorError(
            f"processor {missing.name}: asks for {', '.join(missing.needs)}, which no processor of this run gives. "
            "Name the other processor too, or check the spelling: <processor>_<column>."
        )
    return ready


def _check_columns(loaded: Sequence[Loaded]) -> None:
    """Raise ProcessorError where a column would take the place of another one."""
    owners = dict.fromkeys((*RESULTS_SCHEMA.names, *MANIFEST_SCHEMA.names), "vasculum's own")
    owners |= {f"{one.name}_status": f"the status of {one.name}" for one in loaded}
    for one in loaded:
        for column in one.declaration.gives:
            name = f"{one.name}_{column}"
            if name in owners:
                raise ProcessorError(
                    f"processor {one.name}: its column {column!r} would be called {name!r} in the results, which is "
                    f"{owners[name]}. Give the processor another name: NAME={one.reference}."
                )
            owners[name] = f"a column of {one.name}"


def _entry(loaded: Loaded) -> dict[str, Any]:
    return {
        "name": loaded.name,
        "spec": str(loaded.reference),
        "road": loaded.reference.road,
        "settings": {key: repr(value) for key, value in loaded.settings.items()},
        "wants": repr(loaded.declaration.wants),
        "gives": {column: kind_to_text(kind) for column, kind in loaded.declaration.gives.items()},
        "fingerprint": fingerprint.of_processor(loaded),
    }
