"""Formats: what each reader takes and gives."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from workbench.corpora import Declaration, find, read
from workbench.corpora.readers import NAMES, reader
from workbench.errors import InputError

Write = Callable[..., Declaration]


def texts(declaration: Declaration, split: str | None = None) -> list[str]:
    return [document.segments["text"] for document in read(declaration, split)]


@pytest.mark.parametrize("name", NAMES)
def test_every_reader_is_found_by_name_and_says_what_it_reads(name: str) -> None:
    assert callable(reader(name))
    assert reader(name).__doc__


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.csv", 'text,label\n"b, ""c""\nd",1\n', {}),
        ("a.csv", '\ufefftext,label\r\n"b, ""c""\nd",1\r\n', {}),
        ("a.csv.gz", gzip.compress(b'text,label\n"b, ""c""\nd",1\n', mtime=0), {}),
        ("a.csv", 'text;label\n"b, ""c""\nd";1', {"delimiter": ";"}),
        ("a.tsv", 'text\tlabel\n"b, ""c""\nd"\t1\n', {"quote": "double"}),
        ("a.csv", '"b, ""c""\nd",1\n', {"header": "text,label"}),
    ],
)
def test_delimited_files(name: str, content: bytes | str, options: dict[str, str], corpus: Write) -> None:
    (document,) = read(corpus({name: content}, "delimited", {"label": "label"}, options=options))
    assert document.segments["text"] == 'b, "c"\nd'
    assert document.label == "1"


def test_quotes_in_a_tab_file_are_text(corpus: Write) -> None:
    assert texts(corpus({"a.tsv": 'text\tn\n"b\t1\nc"\t2\n'}, "delimited")) == ['"b', 'c"']


def test_a_header_names_the_columns_of_a_file_without_one(corpus: Write) -> None:
    declaration = corpus({"a.csv": "b,1\nc,2\n"}, "delimited", options={"header": "text,label"})
    assert [document.identifier for document in read(declaration)] == ["a-00001", "a-00002"]


def test_reading_csv_leaves_the_limit_of_the_process_alone(corpus: Write) -> None:
    import csv

    before = csv.field_size_limit()
    assert len(texts(corpus({"a.csv": "text\n" + "b" * 200_000 + "\n"}, "delimited"))[0]) == 200_000
    assert csv.field_size_limit() == before


def test_parquet_reads_only_the_declared_columns(tmp_path: Path, corpus: Write) -> None:
    table = pa.table({"text": pa.array(["ক", "খ"]).dictionary_encode(), "label": [1, 0], "more": [[1], [2]]})
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    declaration = corpus({"a.parquet": (tmp_path / "a.parquet").read_bytes()}, "parquet", {"label": "label"})
    assert [(document.segments["text"], document.label) for document in read(declaration)] == [("ক", "1"), ("খ", "0")]


CONLLU = """# newdoc id = d1
# sent_id = s1
# text = Aux amis.
1-2\tAux\t_\t_\t_\t_\t_\t_\t_\t_
1\tÀ\tà\tADP\t_\t_\t3\tcase\t_\t_
2\tles\tle\tDET\t_\t_\t3\tdet\t_\t_
3\tamis\tami\tNOUN\t_\t_\t0\troot\t_\tSpaceAfter=No
4\t.\t.\tPUNCT\t_\t_\t3\tpunct\t_\t_

# sent_id = s2
1\tIl\til\tPRON\t_\t_\t2\tnsubj\t_\t_
1.1\tne\tne\tADV\t_\t_\t_\t_\t_\t_
2\tva\taller\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No
3\t!\t!\tPUNCT\t_\t_\t2\tpunct\t_\t_

# sent_id = s3
# text = Autre chose
1\tOui\toui\tINTJ\t_\t_\t0\troot\t_\t_"""


def test_conllu_sentences(corpus: Write) -> None:
    reading = read(corpus({"a.conllu": CONLLU}, "conllu", {"identifier": "sent_id"}))
    assert [(document.identifier, document.segments["text"]) for document in reading] == [
        ("s1", "Aux amis."),
        ("s2", "Il va!"),
        ("s3", "Autre chose"),
    ]
    assert reading.report.traps["sentence whose `# text` differs from its words"] == 1


def test_a_treebank(mirror: Path, corpus: Write) -> None:
    files = sorted((mirror / "ud" / "UD_Bengali-BRU").glob("*.conllu"))
    if not files:
        pytest.skip("the mirror does not hold ud/UD_Bengali-BRU")
    reading = read(corpus({files[0].name: files[0].read_bytes()}, "conllu", {"identifier": "sent_id"}))
    assert len(list(reading)) == 56
    assert reading.report.rejected == []


def test_lines_of_text(corpus: Write) -> None:
    reading = read(corpus({"a.txt": "ক\n\n খ \n"}, "parallel"))
    assert [(document.identifier, document.segments["text"]) for document in reading] == [("a-00001", "ক"), ("a-00003", " খ ")]
    assert reading.report.traps["blank line"] == 1


PARALLEL_FIELDS = {"segments": {"source": "source", "reference": "reference"}}
PARALLEL_FILES = [
    {"path": "dev.bn", "role": "source", "split": "dev"},
    {"path": "dev.en", "role": "reference", "split": "dev"},
    {"path": "test.bn", "role": "source", "split": "test"},
    {"path": "test.en", "role": "reference", "split": "test"},
]


def test_aligned_files(corpus: Write) -> None:
    files = {"dev.bn": "ক\nখ\n", "dev.en": "k\n\n", "test.bn": "গ", "test.en": "g"}
    reading = read(corpus(files, "parallel", PARALLEL_FIELDS, declared=PARALLEL_FILES))
    assert [(document.identifier, dict(document.segments)) for document in reading] == [
        ("dev-00001", {"source": "ক", "reference": "k"}),
        ("test-00001", {"source": "গ", "reference": "g"}),
    ]
    assert [item.reason for item in reading.report.rejected] == ["dev.bn line 2: an empty text (reference)"]


def test_files_that_do_not_align(corpus: Write) -> None:
    files = {"dev.bn": "ক\nখ\n", "dev.en": "k\n", "test.bn": "গ", "test.en": "g"}
    with pytest.raises(InputError, match=r"dev\.bn has 2 lines, dev\.en has 1 lines"):
        list(read(corpus(files, "parallel", PARALLEL_FIELDS, declared=PARALLEL_FILES)))
    with pytest.raises(InputError, match=r"0 files with role = 'reference' and split = 'dev'"):
        list(read(corpus(files, "parallel", PARALLEL_FIELDS, declared=PARALLEL_FILES[:1])))


def saved(folder: Path, texts: list[str], split: str) -> None:
    """A dataset as `save_to_disk` writes it."""
    folder.mkdir(parents=True)
    table = pa.table({"text": texts, "label": list(range(len(texts)))})
    with pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as raw, pa.ipc.new_stream(raw, table.schema) as stream:
        stream.write_table(table)
    info = {"features": {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}
    (folder / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": split, "_indices_data_files": None}
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")


HUB_FIELDS = {"label": "label", "split": "split"}


def test_a_saved_dictionary_of_datasets(tmp_path: Path, corpus: Write) -> None:
    saved(tmp_path / "own" / "zoo" / "set" / "train", ["ক", "খ"], "train")
    saved(tmp_path / "own" / "zoo" / "set" / "test", ["গ"], "test")
    (tmp_path / "own" / "zoo" / "set" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}', encoding="utf-8")
    found = list(read(corpus({}, "hub", HUB_FIELDS, declared=[{"path": "set"}])))
    assert [(document.identifier, document.label, document.split) for document in found] == [
        ("train-00001", "no", "train"),
        ("train-00002", "yes", "train"),
        ("test-00001", "no", "test"),
    ]
    assert texts(find("zoo"), "test") == ["গ"]


def test_one_saved_dataset(tmp_path: Path, corpus: Write) -> None:
    saved(tmp_path / "own" / "zoo" / "set", ["ক"], "train")
    (document,) = read(corpus({}, "hub", HUB_FIELDS, declared=[{"path": "set"}]))
    assert (document.split, document.segments["text"]) == ("train", "ক")


def test_parquet_shards_of_the_hub(tmp_path: Path, corpus: Write) -> None:
    for name, text in (
        ("data/train-00000-of-00002", "ক"),
        ("data/train-00001-of-00002", "খ"),
        ("data/test-00000-of-00001", "গ"),
        ("dev/0000", "ঘ"),
    ):
        path = tmp_path / "own" / "zoo" / "set" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pa.parquet.write_table(pa.table({"text": [text], "label": ["x"]}), path)
    found = [
        (document.identifier, document.segments["text"]) for document in read(corpus({}, "hub", HUB_FIELDS, declared=[{"path": "set"}]))
    ]
    assert found == [("test-00001", "গ"), ("train-00001", "ক"), ("train-00002", "খ"), ("dev-00001", "ঘ")]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"_data_files": [{"filename": "../../../secret.arrow"}]}, "leads out of the folder"),
        ({"_data_files": [{"filename": "a.arrow"}], "_indices_data_files": [{"filename": "i.arrow"}]}, "rows chosen by an index file"),
        ({"_data_files": [{"filename": "gone.arrow"}]}, "no whole Parquet or Arrow file"),
        ([], "JSON that is no object"),
    ],
)
def test_a_dataset_folder_that_cannot_be_trusted(state: object, said: str, tmp_path: Path, corpus: Write) -> None:
    saved(tmp_path / "own" / "zoo" / "set", ["ক"], "train")
    (tmp_path / "own" / "zoo" / "set" / "state.json").write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        list(read(corpus({}, "hub", HUB_FIELDS, declared=[{"path": "set"}])))


def test_a_dataset_that_was_cut_off_between_two_batches(tmp_path: Path, corpus: Write) -> None:
    saved(tmp_path / "own" / "zoo" / "set", ["ক"], "train")
    data = tmp_path / "own" / "zoo" / "set" / "data-00000-of-00001.arrow"
    data.write_bytes(data.read_bytes()[:-8])
    with pytest.raises(InputError, match="without its end: it was cut off"):
        list(read(corpus({}, "hub", HUB_FIELDS, declared=[{"path": "set"}])))


def test_arrow_offsets_that_lead_out_of_the_data(tmp_path: Path, corpus: Write) -> None:
    saved(tmp_path / "own" / "zoo" / "set", ["ক"], "train")
    offsets = pa.array([0, 100_000_000, 5], pa.int32()).buffers()[1]
    table = pa.table({"text": pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"abcde")), "label": [0, 1]})
    path = tmp_path / "own" / "zoo" / "set" / "data-00000-of-00001.arrow"
    with pa.OSFile(str(path), "wb") as raw, pa.ipc.new_stream(raw, table.schema) as stream:
        stream.write_table(table)
    with pytest.raises(InputError, match="no whole Parquet or Arrow file"):
        list(read(corpus({}, "hub", HUB_FIELDS, declared=[{"path": "set"}])))


def test_a_folder_that_is_no_dataset(tmp_path: Path, corpus: Write) -> None:
    (tmp_path / "own" / "zoo" / "set").mkdir(parents=True)
    with pytest.raises(InputError, match=r"neither dataset_dict\.json nor state\.json"):
        list(read(corpus({}, "hub", HUB_FIELDS, declared=[{"path": "set"}])))


DEEPHATE = "text,label,target\nক,Personal,0\nখ খ\n গ,Political,1 \nঘ,Religious,3\n"


def test_the_traps_of_the_bengali_corpus(corpus: Write) -> None:
    reading = read(corpus({"train.csv": DEEPHATE}, "deephate", {"label": "label"}, declared=[{"path": "train.csv", "split": "train"}]))
    assert [(document.identifier, document.segments["text"], document.label) for document in reading] == [
        ("train-00001", "ক", "Personal"),
        ("train-00002", "খ খ\n গ", "Political"),
        ("train-00003", "ঘ", "Religious"),
    ]
    assert dict(reading.report.traps) == {
        "record broken over two lines": 1,
        "target with a blank": 1,
        "target that contradicts the label": 1,
    }


def test_half_a_record_at_the_end_is_refused(corpus: Write) -> None:
    reading = read(corpus({"a.csv": "text,label,target\nক,Personal,0\nখ\n"}, "deephate"))
    assert len(list(reading)) == 1
    assert reading.report.rejected[0].reason == "a.csv line 3: half a record at the end of the file"
