"""Sequences as people have them: single records between good ones, and whole files."""

import gzip
import random
from collections.abc import Sequence
from pathlib import Path

from helpers.ingest import encode_batches
from helpers.scenarios.dna.encoder import check_dna
from helpers.scenarios.dna.genes import read_fasta
from tests.hostile.form import Case, LeftOut, Read, Refused, each
from tests.notebooks.subject import subject

BASES = "".join(random.Random(0).choices("ACGT", k=300))
OTHERS = ["".join(random.Random(n).choices("ACGT", k=300)) for n in (1, 2)]


def checked(items: Sequence[bytes], folder: Path) -> list:
    """Each item is a record of one file."""
    records = read_fasta(b"\n".join(items), "mine.fasta")
    return each(check_dna)([sequence for _, sequence in records], folder)


def encoded(items: Sequence[bytes], folder: Path) -> list:
    """The same, through the encoder and the batches that notebooks store."""
    sequences = [sequence for _, sequence in read_fasta(b"\n".join(items), "mine.fasta")]
    batches = encode_batches(sequences, subject("08_dna_classification")["ProteinWords"]())
    found = {s: vector for batch in batches for s, vector in zip(*batch[1:], strict=True)}
    reasons = {sequence: LeftOut(reason) for sequence, reason in batches.skipped}
    assert batches.report()
    return [(found | reasons)[sequence] for sequence in sequences]


def file(items: Sequence[bytes], folder: Path) -> list:
    """Each item is a whole file; its records."""
    return [read_fasta(item, "mine.fasta") for item in items]


GOOD = [lambda folder, bases=bases: b">good\n" + bases.encode() for bases in OTHERS]
READERS = {"checked": checked, "encoded": encoded, "file": file}
RECORDS = ("checked", "encoded")


def _record(name: str, content: str | bytes, verdict: Read | LeftOut) -> Case:
    content = content.encode() if isinstance(content, str) else content
    content = content if content.startswith((b">", b";")) else b">x\n" + content
    return Case(name, lambda folder: content, verdict, readers=RECORDS)


def _file(name: str, content: str | bytes, verdict: Read | Refused) -> Case:
    content = content.encode() if isinstance(content, str) else content
    return Case(name, lambda folder: content, verdict, alone=True, readers=("file",))


def _is(*expected: tuple[str, str]) -> Read:
    return Read(lambda found: tuple(found) == expected)


SAME = Read(lambda found: not isinstance(found, str) or found == BASES)
ANY = Read()
TWO = "".join(f">{name}\n{bases}\n" for name, bases in zip("ab", OTHERS, strict=True))
BOTH = _is(*zip("ab", OTHERS, strict=True))
CASES = [
    _record("lines of 60", "\n".join(BASES[i : i + 60] for i in range(0, 300, 60)), SAME),
    _record("small letters", BASES.lower(), SAME),
    _record("RNA", BASES.replace("T", "U"), SAME),
    _record("blanks and tabs", f" {BASES[:100]}\t{BASES[100:]} ", SAME),
    _record("CR inside", f"{BASES[:100]}\r{BASES[100:]}\r", SAME),
    _record("CRLF inside", f"{BASES[:100]}\r\n{BASES[100:]}\r\n", SAME),
    _record("empty lines", f"{BASES[:100]}\n\n \n{BASES[100:]}\n\n", SAME),
    _record("no-break spaces", f"{BASES[:100]}\u00a0{BASES[100:]}", SAME),
    _record("gaps", f"--{BASES[:100]}-...~{BASES[100:]}", SAME),
    _record("a star at its end", f"{BASES}*", SAME),
    _record("comments", f"; mine\n>x\n;one\n{BASES[:100]}\n ; two\n{BASES[100:]}", SAME),
    _record("uncertain bases", BASES + "NRYSWKMBDHV", ANY),
    _record("codons of two amino acids", f"{BASES[:90]}RAYSARHTA{BASES[99:]}", ANY),
    _record("no name", f">\n{BASES}", SAME),
    _record("the name of another", f">good\n{BASES}", SAME),
    _record("a name with a blank in front", f"> x\n{BASES}", SAME),
    _record("a name in Windows-1252", b">Zo\xeb\n" + BASES.encode(), SAME),
    _record("a name in Chinese", f">基因\n{BASES}", SAME),
    _record("a name of a megabyte", f">{'x' * 1_000_000}\n{BASES}", SAME),
    _record("a line of 100,000 bases", BASES * 333, ANY),
    _record("longer than a gene", BASES * 334, LeftOut("too long: 100,200 bases")),
    _record("a genome without a stop", "ACG" * 1_000_000, LeftOut("too long")),
    _record("a name alone", ">x", LeftOut("an empty sequence")),
    _record("only gaps", "--...~", LeftOut("an empty sequence")),
    _record("short", "ACGT", LeftOut("too short: 4 bases")),
    _record("a protein", "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ" * 3, LeftOut("as a protein has")),
    _record("a protein of letters of bases", "MKTSVRGDHAK" * 10, LeftOut("of its letters are A")),
    _record("only N", "N" * 300, LeftOut("0% of its letters")),
    _record("a star inside", f"{BASES}*{BASES}", LeftOut("the letters *")),
    _record("numbers of lines", f"1 {BASES}\n61 {BASES}", LeftOut("it has '16'")),
    _record("question marks", f"{BASES}???", LeftOut("it has '?'")),
    _record("Cyrillic", BASES.replace("A", "\u0410"), LeftOut("CYRILLIC CAPITAL LETTER A")),
    _record("full width", BASES.replace("A", "\uff21"), LeftOut("FULLWIDTH LATIN")),
    _record("sharp s", f"{BASES}ß", LeftOut("LATIN SMALL LETTER SHARP S")),
    _record("zero-width space", f"{BASES}\u200b", LeftOut("ZERO WIDTH SPACE")),
    _record("a byte that is no UTF-8", BASES.encode() + b"\xa0", LeftOut("REPLACEMENT CHAR")),
    _record("NUL", f"{BASES}\0", LeftOut("a control character")),
    _record("FASTQ", f"@x\n{BASES}\n+\n{'I' * 300}", LeftOut("not DNA")),
    _file("UTF-8 with a mark", TWO.encode("utf-8-sig"), BOTH),
    _file("UTF-16", TWO.encode("utf-16"), BOTH),
    _file("UTF-16 without a mark", TWO.encode("utf-16-be"), BOTH),
    _file("gzip", gzip.compress(TWO.encode()), BOTH),
    _file("CR", TWO.replace("\n", "\r"), BOTH),
    _file("CRLF", TWO.replace("\n", "\r\n"), BOTH),
    _file("blank lines first", f"\n \n{TWO}", BOTH),
    _file("comments first", f"; mine\n;\n{TWO}", BOTH),
    _file("a bare sequence", BASES, _is(("mine", BASES))),
    _file("a sequence before the first name", f"AC\n{TWO}", Read(lambda found: len(found) == 3)),
    _file("a name again", ">a\nA\n>a\nC\n", _is(("a", "A"), ("a (record 2)", "C"))),
    _file("empty records", ">a\n>b\n>\n", _is(("a", ""), ("b", ""), ("(record 3)", ""))),
    _file("5,000 records", TWO * 2_500, Read(lambda found: len(dict(found)) == 5_000)),
    _file("empty", "", Refused("is empty")),
    _file("only comments", ";a\n; b\n", Refused("is empty")),
    _file("zip", b"PK\x03\x04" + bytes(30), Refused("is a zip")),
    _file("gzip cut short", gzip.compress(TWO.encode())[:-9], Refused("cannot be unpacked")),
    _file("gzip of nothing", gzip.compress(b""), Refused("is empty")),
]
