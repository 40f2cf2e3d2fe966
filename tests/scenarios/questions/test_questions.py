"""SQuAD's questions, the project's own test questions, and a reader's CSV in all its forms."""

import json
from collections import Counter

import pytest

from helpers.errors import HelpfulError
from helpers.inputs.tables import own_table
from helpers.scenarios.questions.questions import (
    Question,
    is_right,
    load_squad,
    normalise,
    read_pairs,
)


@pytest.fixture(scope="module")
def squad():
    return load_squad()


def test_the_dev_set_is_whole_and_every_answer_stands_where_it_is_said_to(squad):
    assert len(squad) == 10_570
    assert len({one.paragraph for one in squad}) == 2_067
    assert len({one.title for one in squad}) == 48
    for one in squad:
        ((start, end),) = one.passage.spans
        assert one.passage.text[start:end] == one.answer == one.answers[0]
        assert one.text == one.text.strip() != ""
    assert "Amazon rainforest" in {one.title for one in squad}, "titles are to be read"


@pytest.mark.parametrize(
    "content",
    ["not json", "[]", '{"data": [{"title": "A", "paragraphs": [{"context": "b"}]}]}'],
)
def test_a_file_that_is_not_squad_is_refused(tmp_path, content):
    file = tmp_path / "mine.json"
    file.write_text(content)
    with pytest.raises(HelpfulError, match=r"mine\.json is not a file of SQuAD"):
        load_squad(file)


def one_question(file, **asked):
    asked = {"id": "1", "question": "Why?", "answers": []} | asked
    article = {"title": "A", "paragraphs": [{"context": "b", "qas": [asked]}]}
    file.write_text(json.dumps({"data": [article]}))
    return file


def test_a_question_that_lost_its_answer_is_not_squad(tmp_path):
    with pytest.raises(HelpfulError, match=r"v1\.json is not a file of SQuAD"):
        load_squad(one_question(tmp_path / "v1.json"))


def test_a_question_of_squad_2_may_have_no_answer(tmp_path):
    (one,) = load_squad(one_question(tmp_path / "v2.json", is_impossible=True))
    assert one.answers == () and one.text == "Why?" and one.paragraph == "b"


def test_paraphrases_are_new_wordings_of_questions_in_every_article(squad):
    by_id = {one.id: one for one in squad}
    stored = {normalise(one.text) for one in squad}
    paraphrases = own_table("qa_paraphrases.csv")
    assert len(paraphrases) == 160
    assert {by_id[row["squad_id"]].title for row in paraphrases} == {one.title for one in squad}
    assert not stored & {normalise(row["paraphrase"]) for row in paraphrases}
    assert {row["typo"] for row in paraphrases} == {"0", "1"}


def test_unanswerable_questions_are_of_two_kinds_and_not_in_the_data(squad):
    unanswerable = own_table("qa_unanswerable.csv")
    assert Counter(row["kind"] for row in unanswerable) == {"everyday": 80, "near": 80}
    stored = {normalise(one.text) for one in squad}
    assert not stored & {normalise(row["question"]) for row in unanswerable}


def test_every_translated_question_is_there_in_all_three_languages(squad):
    translations = own_table("qa_languages.csv")
    ids = {row["squad_id"] for row in translations}
    assert len(ids) == 40
    assert ids <= {one.id for one in squad}
    pairs = {(row["squad_id"], row["language"]) for row in translations}
    assert pairs == {(id, language) for id in ids for language in ("zh", "fr", "es")}


@pytest.mark.parametrize(
    ("answer", "same"),
    [("The U.S. Army!", "us army"), ("  an\tapple ", "apple"), ("Theatre", "theatre"), ("A", "")],
)
def test_answers_are_compared_as_squad_does(answer, same):
    assert normalise(answer) == same


def test_an_answer_is_right_if_it_is_one_of_several():
    assert is_right("the Swiss canton.", ("Graubünden", "Swiss canton"))
    assert not is_right("canton", ("Graubünden", "Swiss canton"))


def read(text: str) -> list[Question]:
    return read_pairs(text.encode(), "mine.csv")


def asked(pairs: dict[str, str]) -> list[Question]:
    return [Question("", question, (answer,)) for question, answer in pairs.items()]


def test_good_rows_are_kept_and_bad_ones_named_with_their_line(capsys):
    questions = read(
        "question,answer\n"
        'When?,"at nine,\nor ten"\n'
        "Where?,\n"
        "\n"
        ",here\n"
        "Who?,Ann, Bob\n"
        "When,never\n"
        "???,yes\n"
        "How many?\n"
        "Why?,because\n"
    )
    assert questions == asked({"When?": "at nine,\nor ten", "Why?": "because"})
    assert capsys.readouterr().out.splitlines() == [
        "2 questions with answers",
        "6 rows left out:",
        "  line 4: no answer",
        "  line 6: no question",
        "  line 7: 3 fields instead of 2: put quotation marks around text with commas",
        "  line 8: the same question as in line 2",
        "  line 9: a text without a letter or digit",
        "  line 10: no answer",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "question,answer\nWhen?,now\n",
        "\ufeffquestion,answer\r\nWhen?,now\r\n",  # as Excel saves it
        "Question;Answer\nWhen?;now\n",
        " answer\tid\tquestion\nnow\t7\tWhen?\n",
    ],
)
def test_what_spreadsheets_write_can_be_read(text, capsys):
    assert read(text) == asked({"When?": "now"})
    assert capsys.readouterr().out == "1 questions with answers\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"q,a\nWhen?,now\n", "has no column question and no column answer"),
        (b"question\nWhen?\n", "has no column answer"),
        (b"question,answer\n", "has no row that can be used; add"),
        (b"question,answer\nWhen?,\n", r"has no row that can be used \(line 2: no answer\)"),
        (
            "question,answer\nWhen?,né\n".encode("latin-1"),
            r"has no row that can be used \(line 2: the byte 0x",
        ),
        (b"\x89PNG\r\n\x1a\n", "has no column question and no column answer"),
        (b'question,answer\nWho?,"Ann\n', r"has no row .* \(line 2: a quotation mark"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(content, said):
    with pytest.raises(HelpfulError, match=f"mine.csv {said}"):
        read_pairs(content, "mine.csv")


def test_odd_but_good_texts_are_kept(capsys):
    odd = {"🙂 why?": "שלום", "مرحبا؟": "hi", "the of and": "to be", "w" * 100_000 + "?": "long"}
    text = "question,answer\n" + "".join(f"{q},{a}\n" for q, a in odd.items())
    assert read(text) == asked(odd)
    assert capsys.readouterr().out == "4 questions with answers\n"


def test_the_same_question_is_told_by_its_words_and_signs(capsys):
    questions = read("question,answer\nC++?,a\nC?,b\nA c?,d\nc ?!,e\nCafe\u0301?,f\ncafé？,g\n")
    assert questions == asked({"C++?": "a", "C?": "b", "A c?": "d", "Café?": "f"})
    said = capsys.readouterr().out
    assert (
        "line 5: the same question as in line 3\n  line 7: the same question as in line 6" in said
    )


def test_a_long_list_of_bad_rows_is_cut(capsys):
    read("question,answer\nWhen?,now\n" + "Who?,\n" * 30)
    assert capsys.readouterr().out.endswith("line 22: no answer\n  and 10 more\n")
