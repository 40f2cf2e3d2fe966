"""Genes with their families: the catalogue, the classic tables, and FASTA files as people have."""

import gzip
from collections import Counter

import pytest

from helpers.assets import AssetError
from helpers.errors import HelpfulError
from helpers.scenarios.dna import genes
from helpers.scenarios.dna.genes import (
    Gene,
    classic_table,
    load_genes,
    load_other_genes,
    read_fasta,
)


@pytest.fixture(scope="module")
def catalogue():
    return load_genes()


def test_the_catalogue_has_4963_genes_in_17_families(catalogue):
    sizes = Counter(gene.family for gene in catalogue.values())
    assert sum(sizes.values()) == 4963
    assert len(sizes) == 17
    assert (sizes["Bla A"], sizes["Bla C"], sizes["Bla D"]) == (1149, 1101, 916)
    assert (sizes["ANT"], sizes["Oqx"], sizes["Sul"]) == (236, 43, 40)


def test_genes_have_a_name_and_what_they_resist(catalogue):
    by_name = {gene.name: gene for gene in catalogue.values()}
    assert by_name["blaTEM-156"] == Gene("blaTEM-156", "Bla A", "beta-lactams")
    assert by_name["blaOXA-721"].resistance == "carbapenems"
    assert by_name["erm(B)"] == Gene("erm(B)", "Erm", "macrolides")
    assert by_name["mcr-1.2"].resistance == "colistin"
    assert Counter(gene.resistance for gene in catalogue.values())["not stated"] <= 1


def test_other_genes_are_of_no_family_and_not_in_the_catalogue(catalogue):
    others = load_other_genes()
    assert len(others) == 1589
    assert not set(others) & set(catalogue)
    names = {gene.name for gene in others.values()}
    assert {"faeG", "qacK"} <= names
    assert not any(gene.family for gene in others.values())
    assert not any(name.startswith(("aacA", "aphA", "aac(", "tet(")) for name in names)


def test_unknown_data():
    with pytest.raises(HelpfulError, match="no gene data 'cat'; choose resistance, human"):
        load_genes("cat")


@pytest.mark.parametrize("data", ["human", "chimp", "dog"])
def test_classic_tables_are_loaded_by_name(data, tmp_path, monkeypatch):
    table = tmp_path / "table.txt"
    table.write_text("sequence\tclass\nATGCCC\t4\natgcaa\t0\n\nATGCAA\t6\n")
    asked = []
    monkeypatch.setattr(genes, "fetch", lambda name: asked.append(name) or table)
    assert load_genes(data) == {
        "ATGCCC": Gene("line 2", "synthase"),
        "ATGCAA": Gene("line 3", "G protein coupled receptor"),
    }
    assert asked == [f"genes-{data}"]


def test_classic_table_out_of_reach_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(AssetError, match="raw.githubusercontent.com"):
        load_genes("human")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("<html>not found</html>", "no column sequence and no column class"),
        ("sequence\tclass\nATG\t7\n", "line 2: '7' is no family"),
        ("sequence\tclass\nATG\n", "line 2: '' is no family"),
        ("sequence\tclass\nATG\t1\nATC\tx\n", "line 3: 'x' is no family"),
    ],
)
def test_a_broken_classic_table_says_where(text, words):
    with pytest.raises(HelpfulError, match=words):
        classic_table(text.encode(), "human_data.txt")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_fasta_with_many_records(end):
    lines = [
        ";a comment",
        ">one first gene",
        "ACGT",
        "; another",
        " acgu ",
        "",
        ">two",
        "MKT*",
        ">",
    ]
    content = end.join([*lines, "NNN", ">two", ">empty"]).encode()
    assert read_fasta(content, "genes.fasta") == [
        ("one first gene", "ACGTacgu"),
        ("two", "MKT*"),
        ("(record 3)", "NNN"),
        ("two (record 4)", ""),
        ("empty", ""),
    ]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfACGT\nACGT\n", "ACGT\rACGT".encode("utf-16")])
def test_a_bare_sequence_is_a_record(content):
    for given in (content, gzip.compress(content)):
        assert read_fasta(given, "mine.txt") == [("mine", "ACGTACGT")]


def test_what_stands_before_the_first_name_is_a_record():
    assert read_fasta(b"ACGT\n>one\nTT\n", "mine.fa") == [("mine", "ACGT"), ("one", "TT")]


def test_a_record_that_is_not_utf_8_costs_no_other():
    found = read_fasta(b">caf\xe9\nAC\xa0GT\n>two\nTT\n", "genes.fasta")
    assert found == [("caf\ufffd", "AC\ufffdGT"), ("two", "TT")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n;only a comment\n", "is empty"),
        (b"\x1f\x8b\x08", "cannot be unpacked"),
        (b"PK\x03\x04", "is a zip"),
    ],
)
def test_what_is_no_fasta_is_refused_in_words(content, words):
    with pytest.raises(HelpfulError, match=words):
        read_fasta(content, "genes.fasta")


def test_a_file_with_more_records_than_may_be_is_refused():
    content = b">a\nACGT\n" * 1_001
    assert len(read_fasta(content, "many.fasta")) == 1_001
    assert len(read_fasta(content, "many.fasta", most=1_001)) == 1_001
    with pytest.raises(HelpfulError, match=r"many\.fasta has 1,001 records: give at most 1,000"):
        read_fasta(content, "many.fasta", most=1_000)
