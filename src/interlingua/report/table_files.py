"""Tables as files: CSV for programs, LaTeX for papers, Markdown for pages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from interlingua.files import written_whole
from interlingua.markdown import markdown_table, markdown_text
from interlingua.report.layout import Cell, PaperTable

UNSEEN_COLOUR = "red"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "Δ": r"$\Delta$", "−": "$-$",
}  # fmt: skip


def write_tables(tables: Iterable[PaperTable], folder: Path) -> list[Path]:
    """Write each table as `<name>.csv`, `.tex` and `.md`, and remove those of an earlier report.

    The CSV has every number as it is and codes for languages, and an apostrophe before a text that a spreadsheet would
    take for a formula; the other two are as the report shows them, with languages that the model did not see in red.
    """
    written = []
    for table in tables:
        for suffix, text in (
            ("csv", no_formulas(table.frame).to_csv(index=False)),
            ("tex", latex(table)),
            ("md", markdown(table)),
        ):
            path = folder / f"{table.name}.{suffix}"
            with written_whole(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
            written.append(path)
    for earlier in folder.glob("*"):
        if earlier not in written:
            earlier.unlink()
    return written


def no_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame in which no text begins like a formula, which a spreadsheet would compute."""

    def plain(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value

    return frame.rename(columns=plain).map(plain)


def latex(table: PaperTable) -> str:
    r"""Return a table for LaTeX, with the packages booktabs and xcolor.

    Example:
        >>> from interlingua.report.layout import Column
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"language": ["deu_Latn"], "top1": [0.5]})
        >>> columns = (Column("language", "language", language=True), Column("top1", "top-1", digits=3))
        >>> print(latex(PaperTable("t", "Retrieval", "50 % of all.", frame, columns)))
        % needs \usepackage{booktabs} and \usepackage{xcolor}
        \begin{table}
        \centering
        \begin{tabular}{lr}
        \toprule
        language & top-1 \\
        \midrule
        German & 0.500 \\
        \bottomrule
        \end{tabular}
        \caption{Retrieval. 50 \% of all.}
        \label{tab:t}
        \end{table}
        <BLANKLINE>
    """
    kinds = "".join("l" if column.digits is None else "r" for column in table.columns)
    lines = [
        r"% needs \usepackage{booktabs} and \usepackage{xcolor}",
        r"\begin{table}",
        r"\centering",
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        _latex_row(_latex_text(column.heading) for column in table.columns),
        r"\midrule",
        *(_latex_row(map(_latex_cell, row)) for row in table.rows()),
        r"\bottomrule",
        r"\end{tabular}",
        rf"\caption{{{_latex_text(table.title)}. {_latex_text(table.note)}}}",
        rf"\label{{tab:{table.name}}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def markdown(table: PaperTable) -> str:
    r"""Return a table for Markdown.

    Example:
        >>> from interlingua.report.layout import Column
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"model": ["a|b"], "k": [2000]})
        >>> print(markdown(PaperTable("t", "Experts", "", frame, (Column("model", "model"), Column("k", "k", 0)))))
        **Experts**
        <BLANKLINE>
        | model | k |
        |---|---:|
        | a\|b | 2,000 |
        <BLANKLINE>
    """
    body = markdown_table(
        [column.heading for column in table.columns],
        [[_marked(cell) for cell in row] for row in table.rows()],
        numbers=[column.digits is not None for column in table.columns],
    )
    return "\n\n".join([f"**{table.title}**", body, *([markdown_text(table.note)] if table.note else [])]) + "\n"


def _marked(cell: Cell) -> str:
    # Markdown has no colours; the note under a table says what the mark means.
    return f"{cell.text} †" if cell.unseen else cell.text


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex_cell(cell: Cell) -> str:
    text = _latex_text(cell.text)
    return rf"\textcolor{{{UNSEEN_COLOUR}}}{{{text}}}" if cell.unseen else text


def _latex_text(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in " ".join(text.split()))
