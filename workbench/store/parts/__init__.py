"""Parts: results as immutable Parquet files in a folder or an object store, and a manifest that says which of them count.

```
PLACE/
  manifest/00000007.json          a record: a run and the numbers it may give out, or parts that count from now on
  manifest/00000000-00000255.jsonl.gz   the same records, many in one file
  parts/NAME.json                 what a part is: its files with their hashes, its numbers, its sums; written after its files
  TABLE/NAME.parquet              rows of one table of the store, as a store has them
```

NAME is the fingerprint of the work and the hash of what came of it. A part counts when a record of the manifest names it. Records are
numbered and each is written once: who comes second takes the next number. So any number of workers and runs can write to one place, and
whatever is killed leaves files that nothing names.
"""
