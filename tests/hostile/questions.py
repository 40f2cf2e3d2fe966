"""A reader's own questions and answers: single rows between good ones."""

import contextlib
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from helpers.encoders import load_encoder
from helpers.encoders.base import Encoder
from helpers.ingest import encode_batches
from helpers.scenarios.questions.questions import read_pairs
from tests.hostile.form import Case, LeftOut, Read, as_csv


@cache
def minilm() -> Encoder:
    return load_encoder("minilm")


def pairs(items: Sequence[tuple[str, ...]], folder: Path) -> list:
    """Each item is a row; the question and answer it is read as."""
    content, lines = as_csv(["question", "answer"], items)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        read = iter([(one.text, one.answer) for one in read_pairs(content, "q.csv")])
    printed = [line for line in said.getvalue().splitlines() if line.startswith("  line ")]
    left_out = dict(line.removeprefix("  line ").split(": ", 1) for line in printed)
    return [LeftOut(left_out[str(n)]) if str(n) in left_out else next(read) for n in lines]


def encoded(items: Sequence[tuple[str, ...]], folder: Path) -> list:
    """The same questions, through the encoder, as the notebook stores them."""
    read = pairs(items, folder)
    texts = [one[0] for one in read if not isinstance(one, LeftOut)]
    batches = encode_batches(texts, minilm(), unit="question")
    vectors = {text: v for _, texts, vs in batches for text, v in zip(texts, vs, strict=True)}
    skipped = {text: LeftOut(reason) for text, reason in batches.skipped}
    assert batches.report()
    return [one if isinstance(one, LeftOut) else (vectors | skipped)[one[0]] for one in read]


GOOD = [lambda folder: ("When is it?", "now"), lambda folder: ("Who was it?", "Ann")]
READERS = {"pairs": pairs, "encoded": encoded}


def _read(question: str, answer: str = "yes", as_: str = "") -> Case:
    def is_right(value):
        return not isinstance(value, tuple) or value == (as_ or question, answer)

    return Case(
        f"{question[:30]!a} {answer[:9]!a}", lambda folder: (question, answer), Read(is_right)
    )


def _left_out(words: str, *row: str, readers: tuple[str, ...] = ()) -> Case:
    name = " ".join(f"{field[:30]!a}" for field in row)
    return Case(name, lambda folder: row, LeftOut(words), readers=readers)


CASES = [
    _read("Où est-ce ?", "là"),
    _read("Cafe\u0301?", as_="Café?"),
    _read(" How?\u00a0", as_="How?"),
    _read("co\u00adoper\u200bate?", as_="cooperate?"),
    _read("从前有什么？"),
    _read("ما هذا؟"),
    _read("🙂 why?", "🙂"),
    _read("<b>What</b> is $x$ & \\alpha?", "<i>$1_2$</i>"),
    _read("=1+1"),
    _read("3.0"),
    _read("two\nlines?", "two\nlines"),
    _read('a "quoted" one, with a comma?'),
    _read("w" * 200 + " and more?"),
    _read("word " * 100_000 + "?", as_=("word " * 100_000 + "?")),
    _read("NaN", "NaN"),
    _left_out("no answer", "Why?", ""),
    _left_out("no answer", "Why?"),
    _left_out("no question", "", "here"),
    _left_out("no question", " \t", "here"),
    _left_out("without a letter or digit", "???", "yes"),
    _left_out("without a letter or digit", "🙂", "yes"),
    _left_out("without a letter or digit", "\u200b\u200d", "yes"),
    _left_out("fields instead of 2", "Why?", "a", "b"),
    _left_out("the byte 0x00", "a\0b?", "yes"),
    _left_out("knows no word", "ሰላም ነው?", "yes", readers=("encoded",)),
    _left_out("knows no word", "x" * 100_000, "yes", readers=("encoded",)),
]
