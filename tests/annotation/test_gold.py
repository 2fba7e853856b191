"""Gold words from CoNLL-U."""

from pathlib import Path

import pytest

from workbench.annotation import read_gold
from workbench.errors import AnnotationError

SENTENCE = """# sent_id = 1
# text = কী হলো?  Vámonos al mar
1\tকী\tকী\tPRON\tPWH\tPronType=Int\t2\tnsubj\t_\t_
2\tহলো\tহওয়া\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No
3\t?\t?\tPUNCT\t_\t_\t2\tpunct\t_\t_
4-5\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
4\tvamos\tir\tVERB\t_\t_\t2\tparataxis\t_\t_
5\tnos\tnosotros\tPRON\t_\t_\t4\tobj\t_\t_
5.1\tx\tx\tX\t_\t_\t_\t_\t_\t_
6-7\tal\t_\t_\t_\t_\t_\t_\t_\t_
6\ta\ta\tADP\t_\t_\t8\tcase\t_\t_
7\tel\tel\tDET\t_\t_\t8\tdet\t_\t_
8\tmar\tmar\tNOUN\t_\t_\t4\tobl\t_\t_
"""


def test_spans_heads_and_multiword_tokens(tmp_path: Path) -> None:
    path = tmp_path / "gold.conllu"
    path.write_text(SENTENCE + "\n1\t_\t_\tPUNCT\t_\t_\t0\troot\t_\tSpaceAfter=No\n2\tx\t_\tX\t_\t_\t1\tdep\t_\t_\n", encoding="utf-8")
    (text, words), (second, rest) = list(read_gold(path))
    assert [text[word.char_start : word.char_end] for word in words] == ["কী", "হলো", "?", "Vámonos", "Vámonos", "al", "al", "mar"]
    assert [word.form for word in words] == ["কী", "হলো", "?", "vamos", "nos", "a", "el", "mar"]
    assert [word.head for word in words] == [1, None, 1, 1, 3, 7, 7, 3]
    assert (words[0].upos, words[0].xpos, words[0].features, words[0].relation) == ("PRON", "PWH", "PronType=Int", "nsubj")
    assert words[1].xpos is None
    assert second == "_x"
    assert [(word.form, word.char_start, word.head) for word in rest] == [("_", 0, None), ("x", 1, 0)]


def test_faults_are_named(tmp_path: Path) -> None:
    path = tmp_path / "gold.conllu"
    path.write_text("1\tক\n", encoding="utf-8")
    with pytest.raises(AnnotationError, match="line 1 has 2 columns"):
        list(read_gold(path))
    path.write_text(SENTENCE.replace("\tmar\tmar", "\tsea\tsea"), encoding="utf-8")
    with pytest.raises(AnnotationError, match="'sea' does not follow"):
        list(read_gold(path))
    with pytest.raises(AnnotationError, match="No such file"):
        list(read_gold(tmp_path / "none.conllu"))
