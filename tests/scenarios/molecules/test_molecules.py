"""Molecules: what people type, what files hold, and the pieces molecules come apart into."""

import gzip

import pytest
from rdkit import Chem

from helpers.errors import BadItem, HelpfulError
from helpers.scenarios.molecules import molecules
from helpers.scenarios.molecules.molecules import (
    MAX_ATOMS,
    MAX_LETTERS,
    building_blocks,
    load_molecules,
    properties,
    read_molecule,
)


def refusal(text: str, **options: bool) -> str:
    with pytest.raises(BadItem) as caught:
        read_molecule(text, **options)
    sentence = str(caught.value)
    assert sentence[-1] == "." and "\n" not in sentence
    return sentence


def test_the_same_molecule_has_the_same_smiles_however_it_is_typed():
    kekule, aromatic = read_molecule("C1=CC=CC=C1O"), read_molecule("  c1(O)ccccc1\n")
    assert kekule.smiles == aromatic.smiles == "Oc1ccccc1"
    assert kekule.note == ""
    assert kekule.mol.GetNumAtoms() == 7


def test_a_name_after_the_smiles_does_not_matter():
    for name in (" ethanol", "\tÄthanol, 96 %", "\u00a0x", " |$;;R1$|"):
        assert read_molecule(f"CCO{name}").smiles == "CCO"


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing(text):
    assert "type one" in refusal(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("CC(=O", "without its partner"),
        ("C1CC", "without its partner"),
        ("[C", "without its partner"),
        ("🙂", "cannot be read"),
        ("aspirin", "looks like a name"),
        ("acetic acid", "looks like a name"),
        ("InChI=1S/CH4/h1H4", "is an InChI"),
        ("CC>>CO", "is a reaction"),
        ("C(C)(C)(C)(C)C", "atom 1 (C) has more bonds"),
        ("c1cccc1", "[nH]"),
        ("n1cccc1", "[nH]"),
        ("cC", "is in no ring"),
        ("C1=CC=C[nH-]1", "atom 5 (N) has more bonds"),  # RDKit detects no problem beforehand
        ("\u0421\u0421\u041e", "U+0421 (CYRILLIC CAPITAL LETTER ES)"),
        ("c1ccccc1\u0421", "U+0421"),  # RDKit would read what stands before it
        ("[O\u2212]C", "U+2212 (MINUS SIGN)"),
        ("CC\0", "a control character"),
        ("[#6]C", "is a pattern in SMARTS"),  # RDKit would read carbon without hydrogen
        ("[C,N]C", "is a pattern in SMARTS"),
        ("C~C", "is a pattern in SMARTS"),
        ("CCO,ethanol", "goes on after a comma"),
    ],
)
def test_what_is_no_molecule_is_explained_and_rdkit_stays_silent(text, says, capfd):
    assert says in refusal(text)
    assert capfd.readouterr() == ("", "")


def test_a_long_mistake_is_not_repeated_in_full():
    sentence = refusal("C(" * 100)
    assert "…" in sentence
    assert len(sentence) < 150


def test_huge_ones_are_refused_before_anything_is_computed():
    assert f"at most {MAX_LETTERS:,}" in refusal("C" * (MAX_LETTERS + 1))
    assert f"at most {MAX_ATOMS}" in refusal("C" * (MAX_ATOMS + 1))
    assert read_molecule("C" * MAX_ATOMS).mol.GetNumAtoms() == MAX_ATOMS


def test_the_largest_part_of_a_salt_is_kept_and_the_note_says_so():
    found = read_molecule("[Na+].CC(=O)Oc1ccccc1C(=O)[O-]")
    assert found.smiles == "CC(=O)Oc1ccccc1C(=O)[O-]"
    assert found.note == f"Of 2 parts only the largest is used: {found.smiles}."


def test_of_parts_with_as_many_atoms_the_heavier_is_kept():
    assert read_molecule("CCC.CCBr").smiles == "CCBr"


@pytest.mark.parametrize("text", ["[H][H]", "[H+]", "[2H]"])
def test_hydrogen_alone(text):
    assert "nothing but hydrogen" in refusal(text)


def test_a_wildcard_stands_for_any_atom_where_it_may():
    pattern = read_molecule("c1ccc2*ccc2c1", wildcards=True)
    assert "*" in pattern.smiles
    for holds in ("c1ccc2[nH]ccc2c1", "c1ccc2occc2c1", "Cc1ccc2sccc2c1"):
        assert Chem.MolFromSmiles(holds).HasSubstructMatch(pattern.mol)
    assert not Chem.MolFromSmiles("c1ccccc1").HasSubstructMatch(pattern.mol)
    assert "leave it out" in refusal("C*")


def test_a_wildcard_does_not_loosen_the_rest_of_a_pattern():
    pattern = read_molecule("*C(=O)O", wildcards=True).mol
    assert Chem.MolFromSmiles("CC(=O)OC").HasSubstructMatch(pattern)
    assert not Chem.MolFromSmiles("CCCO").HasSubstructMatch(pattern)


def test_wildcards_alone_are_refused():
    assert "only wildcards" in refusal("**", wildcards=True)


def test_a_label_on_a_wildcard_or_an_atom_changes_nothing():
    for text in ("[1*]c1ccccc1", "[*:2]c1ccccc1", "[16*][c:1]1ccccc1"):
        found = read_molecule(text, wildcards=True)
        assert found.smiles == "*c1ccccc1"
        assert Chem.MolFromSmiles("Cc1ccccc1").HasSubstructMatch(found.mol)
    assert read_molecule("[CH3:1][OH:2]").smiles == "CO"


@pytest.mark.parametrize("text", ["[*+]C", "[*H]C", "C[*-]"])
def test_a_wildcard_with_a_charge_or_hydrogens_is_refused(text):
    assert "whatever its charge" in refusal(text, wildcards=True)


def test_properties_of_a_known_molecule():
    weight, logp = properties(Chem.MolFromSmiles("Cn1c(=O)c2c(ncn2C)n(C)c1=O"))
    assert weight == pytest.approx(194.19, abs=0.01)  # caffeine
    assert logp == pytest.approx(-1.03, abs=0.01)


def test_building_blocks_of_an_amide():
    # Cut on both sides of the nitrogen, which is too small to count, as is the carbonyl.
    assert building_blocks(["O=C(Nc1ccccc1)C1CCCCC1"]) == ["C1CCCCC1", "c1ccccc1"]


def test_building_blocks_are_in_their_molecules_each_once_and_large_enough():
    sources = ["Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1", "nonsense"]
    blocks = building_blocks(sources * 2, at_least=6)
    whole = Chem.MolFromSmiles(sources[0])
    assert len(blocks) == len(set(blocks)) > 2
    for block in map(Chem.MolFromSmiles, blocks):
        assert whole.HasSubstructMatch(block)
        assert block.GetNumAtoms() >= 6


def test_a_cut_nitrogen_of_an_aromatic_ring_gets_its_hydrogen():
    assert "c1cn[nH]c1" in building_blocks(["c1cnn(CC(=O)N2CCCCC2)c1"])


def test_a_molecule_without_such_a_bond_is_its_own_block():
    assert building_blocks(["c1ccccc1", "CC"]) == ["c1ccccc1"]


def write(path, lines):
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


LINES = ["C" * n for n in range(1, 21)]


@pytest.mark.parametrize("name", ["mine.smi", "mine.txt", "mine.csv", "mine.CSV.gz", "mine.smi.gz"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_own_files(name, encoding, end, tmp_path, capsys):
    table = "csv" in name.lower()
    rows = [f"n,{one}" for one in LINES] if table else [f"{one}\tname of it" for one in LINES]
    text = end.join(["name,SMILES"] * table + rows + ["", rows[0]])
    pack = gzip.compress if name.endswith("gz") else bytes
    (tmp_path / name).write_bytes(pack(text.encode(encoding)))
    stored, unseen = load_molecules(tmp_path / name, 12, 5)
    assert (len(stored), len(unseen)) == (12, 2)
    assert len({*stored, *unseen}) == 14 and {*stored, *unseen} <= {*LINES}
    assert capsys.readouterr().out == "1 lines left out, whose SMILES stands there already\n"


def test_rows_without_a_smiles_are_named(tmp_path, capsys):
    rows = ["smiles,name", "CCO,alcohol, drinkable", ",nothing", "CCO,ethanol", "CC"]
    stored, _ = load_molecules(write(tmp_path / "mine.csv", rows), 10, 5)
    assert sorted(stored) == ["CC", "CCO"]
    assert capsys.readouterr().out == (
        "2 rows left out of mine.csv: line 2: 3 fields instead of 2: put quotation marks around "
        "text with commas; line 3: no SMILES\n"
    )


@pytest.mark.parametrize(("lines", "aside"), [(1, 0), (2, 0), (10, 1), (20, 2)])
def test_of_few_molecules_few_are_set_aside(lines, aside, tmp_path):
    path = write(tmp_path / "mine.smi", LINES[:lines])
    stored, unseen = load_molecules(path, 1_000, 5)
    assert sorted(stored + unseen) == LINES[:lines] and len(unseen) == aside
    assert (len(load_molecules(path, 1, 5)[0]), len(load_molecules(path, 2, 5)[0])) == (
        1,
        min(2, lines),
    )


def test_the_drawing_is_repeated_and_in_no_order(tmp_path):
    path = write(tmp_path / "mine.smi", LINES)
    stored, unseen = load_molecules(path, 10, 2)
    assert (stored, unseen) == load_molecules(str(path), 10, 2)
    assert stored != sorted(stored) and unseen + stored != LINES[:12]


def test_files_that_cannot_be_used(tmp_path):
    for path in (tmp_path / "mine.smi", "~nosuchuser/mine.smi"):
        with pytest.raises(HelpfulError, match="There is no file mine.smi"):
            load_molecules(path, 10, 5)
    with pytest.raises(HelpfulError, match="empty.smi has no molecules"):
        load_molecules(write(tmp_path / "empty.smi", ["", " "]), 10, 5)
    with pytest.raises(HelpfulError, match="has no column smiles"):
        load_molecules(write(tmp_path / "other.csv", ["name,weight", "x,1"]), 10, 5)
    with pytest.raises(HelpfulError, match="give 1 or more, not 0"):
        load_molecules("moses", 0, 5)


def test_moses_is_read_from_both_files(monkeypatch, tmp_path):
    for name, lines in {"test": LINES[:10], "test_scaffolds": LINES[10:]}.items():
        with gzip.open(tmp_path / f"{name}.csv.gz", "wt") as file:
            file.write("\n".join(["SMILES", *lines]))
    monkeypatch.setattr(molecules, "fetch", lambda name: tmp_path)
    stored, unseen = load_molecules("moses", 18, 2)
    assert sorted(stored + unseen) == LINES
