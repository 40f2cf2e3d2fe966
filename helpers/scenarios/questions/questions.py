"""Questions and answers: SQuAD 1.1, how it compares answers, and a reader's own pairs."""

import json
import re
import string
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from helpers.assets import fetch
from helpers.encoders.text import check_text
from helpers.errors import BadItem, HelpfulError
from helpers.inputs.tables import read_table
from helpers.show import Passage

_COLUMNS = ("question", "answer")
_NAMED = 20  # bad rows that are named
_SIGNS = " ?!.？！。؟"  # at the end of a question they make it no other one


class Question(NamedTuple):
    """A question with what answers it, as SQuAD 1.1 has them (Rajpurkar et al., EMNLP 2016).

    Attributes:
        id: SQuAD's own id, 24 letters and digits.
        text: the question, without blanks around it.
        answers: what several people marked in the paragraph as the answer, often the same words
            more than once; none for a question of SQuAD 2.0 that the paragraph does not answer.
        start: where ``answers[0]`` begins in the paragraph, in characters.
        title: the article of Wikipedia, such as ``"Amazon rainforest"``.
        paragraph: the paragraph of it that the question was asked about; empty for a question of
            your own, which has no id, start and title either.
    """

    id: str
    text: str
    answers: Sequence[str]
    start: int = 0
    title: str = ""
    paragraph: str = ""

    @property
    def answer(self) -> str:
        """The answer to give, ``answers[0]``."""
        return self.answers[0]

    @property
    def passage(self) -> Passage:
        """The paragraph under its title, with the answer marked, to be shown."""
        span = (self.start, self.start + len(self.answer))
        return Passage(self.paragraph, self.title, spans=[span])


def load_squad(file: Path | None = None) -> list[Question]:
    """The questions of a file of SQuAD 1.1 or 2.0, in its order.

    Args:
        file: by default the dev set, 10,570 questions about 2,067 paragraphs of 48 articles.

    Raises:
        AssetError: the dev set could not be fetched.
        HelpfulError: the file is not SQuAD.
    """
    file = file or fetch("squad-dev")
    try:
        articles = json.loads(file.read_text(encoding="utf-8"))["data"]
        return [
            _question(asked, paragraph["context"], article["title"])
            for article in articles
            for paragraph in article["paragraphs"]
            for asked in paragraph["qas"]
        ]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise HelpfulError(
            f"{file.name} is not a file of SQuAD ({type(error).__name__}: {error}); "
            "give one such as dev-v1.1.json."
        ) from None


def _question(asked: dict, paragraph: str, title: str) -> Question:
    answers = tuple(answer["text"] for answer in asked["answers"])
    start = 0 if asked.get("is_impossible") else asked["answers"][0]["answer_start"]
    title = title.replace("_", " ")
    return Question(asked["id"], asked["question"].strip(), answers, start, title, paragraph)


def normalise(answer: str) -> str:
    """An answer without case, punctuation, articles and extra blanks, as SQuAD compares them.

    Source: ``normalize_answer`` of SQuAD's evaluation script, evaluate-v1.1.py.
    """
    kept = "".join(letter for letter in answer.lower() if letter not in string.punctuation)
    return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", kept).split())


def is_right(answer: str, accepted: Iterable[str]) -> bool:
    """Whether an answer is one of the accepted ones, compared as SQuAD does (exact match)."""
    return normalise(answer) in {normalise(one) for one in accepted}


def read_pairs(content: bytes, name: str) -> list[Question]:
    """Read a CSV with the columns ``question`` and ``answer``; bad rows are left out and named.

    Args:
        content: the file's bytes, see ``helpers.inputs.tables.read_table``; other columns are
            ignored.
        name: the file's name, for the messages.

    Returns:
        The questions, each with its one answer. How many there are is printed, and of what was
        left out the line and the reason, twenty of them at most.

    Raises:
        HelpfulError: the file is empty, lacks a column, or has no row that can be used.
    """
    questions, bad, seen = [], [], {}
    for line, values, problem in read_table(content, name, _COLUMNS):
        try:
            if problem or (missing := [column for column in _COLUMNS if not values[column]]):
                raise BadItem(problem or f"no {missing[0]}")
            text = check_text(values["question"])
            key = " ".join(text.casefold().split()).rstrip(_SIGNS)
            if key in seen:
                raise BadItem(f"the same question as in line {seen[key]}")
        except BadItem as error:
            bad.append(f"line {line}: {error}")
        else:
            seen[key] = line
            questions.append(Question("", text, (values["answer"],)))
    if not questions:
        why = f" ({bad[0]})" if bad else ""
        raise HelpfulError(f"{name} has no row that can be used{why}; add some or mend them.")
    print(len(questions), "questions with answers")
    if bad:
        more = [f"and {len(bad) - _NAMED} more"] * (len(bad) > _NAMED)
        print(f"{len(bad)} rows left out:", *bad[:_NAMED], *more, sep="\n  ")
    return questions
