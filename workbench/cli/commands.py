"""Every command: where it is, and the sentence that help says of it; the first of its docstring, so that help loads no module for it."""

from __future__ import annotations

#: Name → module and name in it (a function, or the Typer instance of a group), the sentence.
COMMANDS = {
    "demo": ("demo:demo", "Explain embedded texts (by default the Bengali posts): figures, store and report, in under two minutes."),
    "run": ("run:run", "Explain what the store has not got yet, and keep it. Safe to interrupt: run it again and it goes on."),
    "plan": ("run:plan", "Say what is missing in the store, why, and about how long it would take; do nothing."),
    "prune": (
        "prune:prune",
        "Say what in a store no pipeline wants any more: documents that left their corpus, results of other settings; --yes removes it.",
    ),
    "diff": (
        "diff:diff",
        "Say what changed from one run to another: texts that are new, edited or explained anew, and how far their words moved.",
    ),
    "query": ("read:query", "Ask the store a question by name; `--row 3` follows the third row to its words in context and its documents."),
    "sql": (
        "sql:sql",
        "Ask the store in SQL: one statement, a file, standard input or a prompt. It reads the views and nothing else, within limits.",
    ),
    "find": (
        "find:find",
        "Find words, phrases, arcs and pairs of words in their context (KWIC), coloured by relevance, the most relevant first.",
    ),
    "clusters": (
        "clusters:clusters",
        "Group relevant words by meaning: what kinds of things does the model rely on? `--save` makes a lexicon for other questions.",
    ),
    "compare": (
        "compare:compare",
        "Compare the relevance of the same texts on two sides: agreement by document, words that changed most, decisions that flipped.",
    ),
    "keyness": (
        "keyness:keyness",
        "What carries more relevance in one group than in another, beside classical keyness: frequent but idle, rare but decisive.",
    ),
    "collocates": (
        "collocates:collocates",
        "Which words around a word or pattern hold more relevance than elsewhere in the same documents, beside classical collocation.",
    ),
    "shortcuts": (
        "shortcuts:shortcuts",
        "Rank shortcuts: words, tags, punctuation, places, length and metadata that carry a class beyond what the labels explain.",
    ),
    "counterfactual": (
        "shortcuts:counterfactual",
        "Mask, delete, swap or move words where they stand, or change lengths, ask the model again; beside matched random edits.",
    ),
    "show": (
        "show:show",
        "Show one post, a pair of texts or a translation: coloured by relevance, then the words that matter, or what they share or took.",
    ),
    "report": ("report:report", "Write a run, by default the last, as one self-contained HTML page."),
    "lab": ("lab:lab", "Open JupyterLab on the studies: first steps, hate speech, similarity, translation, positions, faithfulness."),
    "verify": ("read:verify", "Read the whole store and compare it with its ledger; exit code 1 where something is wrong."),
    "repair": (
        "repair:repair",
        "Take out what is damaged, set aside what cannot be read, and compute just that again. What is sound stays as it is.",
    ),
    "export": ("read:export", "Write a view, or the answer to a question, to a file."),
    "compact": ("compact:compact", "Write a store again in order and without gaps; or make one of parts, as rows of its own or as views."),
    "check": (
        "check:check",
        "Look at a model: value, ledgers, operations, tokenizer, cost. Exit code 1 if a bar is missed, 2 if it cannot be explained.",
    ),
    "validate": (
        "validate:validate",
        "Every method on signals that we planted, on models made random, and beside human rationales; exit code 1 where a bar is missed.",
    ),
    "patching": (
        "patching:patching",
        "Train small models on subject-verb agreement; compare relevance and attribution patching with patching; exit code 1 below a bar.",
    ),
    "doctor": ("doctor:doctor", "Look at this machine: Python, torch, DuckDB, spaCy, locks, disk. Exit code 1 if something is broken."),
    "corpus": ("corpus:app", "Corpora: those at hand, what is in one, its files, and one of your own."),
    "bench": ("bench:app", "Measure costs, as ratios of paired runs in one process."),
    "evaluate": ("evaluations:app", "How far to trust what is said of a model, measured."),
    "schedule": ("schedule:app", "Run pipelines again and again, exactly one completed run for each slot of time."),
    "torture": ("torture:app", "Try to lose data: what a store must survive."),
}
