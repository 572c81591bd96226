"""Groups of a person's own images, by a pattern of their names or a table beside the folders."""

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

from discom.data.checks import NO_GROUP
from discom.errors import DataError
from discom.files import as_data_error


def read_groups(root: Path, pattern: str, ids: list[str]) -> np.ndarray | None:
    """The group of each id by the pattern, else by the table beside the folders; None without."""
    table = root / "groups.csv"
    if not pattern:
        refuse_other_groups(table)
    if pattern:
        with as_data_error("groups", "a pattern", "write e.g. (.+)_[0-9]+ for frames of videos"):
            matches = {sample: re.fullmatch(pattern, sample.partition("/")[2]) for sample in ids}
            group_of = {sample: match[1] for sample, match in matches.items() if match}
    elif table.is_file():
        group_of = _read_table(table)
    else:
        return None
    groups = [group_of.get(sample) or group_of.get(sample.partition("/")[2], "") for sample in ids]
    by = f"--groups {pattern}" if pattern else table.name
    if absent := [place for place, group in enumerate(groups) if group in NO_GROUP]:
        name = ids[absent[0]]
        if pattern:
            name = name.partition("/")[2]
        raise DataError(root, f"'{name}' has no group by {by}", "every image needs one")
    if len({*groups}) == 1 < len(groups):
        found = f"{by} puts all {len(groups)} images into one group, '{groups[0]}'"
        name = ids[0].partition("/")[2]
        way_out = f"let the first parentheses tell the places of names such as '{name}' apart"
        raise DataError(root, found, way_out if pattern else "name one for each place or video")
    return np.array(groups)


def refuse_other_groups(file: Path) -> None:
    """Refuse another form of a file of groups in its place, which would be left out in silence."""
    others = sorted(o for o in file.parent.glob("[!.]*") if o.name.lower().startswith("groups."))
    if others and not file.is_file():
        raise DataError(others[0], "is not read", f"save the groups as {file.name}")


def _read_table(table: Path) -> dict[str, str]:
    """Name → group, however a spreadsheet separated the two."""
    with as_data_error(
        table, "a table of groups", "save it in UTF-8, with the columns name and group"
    ):
        how: dict = {"sep": None, "engine": "python", "dtype": str, "keep_default_na": False}
        text = table.read_text("utf-8-sig")
        if first := re.match(r'"?sep=(.)"?\s*\n', text, re.IGNORECASE):  # Excel's own line
            how["sep"], text = first[1], text[first.end() :]
        rows = pd.read_csv(io.StringIO(text), **how)  # it finds what separates columns
        rows = rows.rename(columns=lambda title: title.strip().lower())
        if absent := [title for title in ("name", "group") if title not in rows]:
            titles = ", ".join(rows.columns)
            raise DataError(table, f"has the columns {titles}", f"call one {absent[0]}")
        rows = rows[["name", "group"]].fillna("")  # a row that ends before its group
        rows = rows.apply(lambda column: column.str.strip().str.normalize("NFC")).drop_duplicates()
    if (twice := rows["name"].duplicated()).any():
        found = f"'{rows['name'][twice].iloc[0]}' is in two groups"
        raise DataError(table, found, "name each image once")
    return dict(zip(rows["name"], rows["group"], strict=True))
