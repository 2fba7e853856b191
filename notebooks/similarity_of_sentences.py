# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # What makes two sentences similar, within a language and across two?
#
# A small study on sentence pairs that come with the workbench, in English, German, French and Spanish, with the embedded encoder
# `multilingual-similarity`. It runs in a minute or two and asks three questions:
#
# 1. Which words carry the similarity of one pair?
# 2. Which parts of speech carry it across all pairs, and does that change between languages?
# 3. Does the similarity fall where the meaning flips, and what keeps it up?
#
# **Read this first.** The pairs and their similarities were written by one author: they demonstrate, they are no benchmark.

# %%
# %load_ext workbench

import os
from pathlib import Path

import polars as pl

from workbench import Store, load_encoder, query
from workbench.notebook import compare, pair_arcs, pair_map
from workbench.pipeline.declaration import find
from workbench.pipeline.run import run
from workbench.viz.similarity_charts import insensitivity, matched_by, noun_verb, pos_heatmap


# %% [markdown]
# ## One pair
#
# Each text runs through the encoder once, forward, as one stream for every token. What an English and a German word share is the product of
# what they contribute to the two embeddings. Words, special tokens, positions and biases add up to the similarity that the model gives.

# %%
encoder = load_encoder("multilingual-similarity")
pair = compare(encoder, "The museum is open on Mondays.", "Das Museum ist montags geöffnet.", languages=("en", "de"))
pair_arcs(pair)

# %%
pair_map(pair)

# %% [markdown]
# ## All pairs
#
# A pipeline explains the whole sample and keeps it in a store: what is stored already is not computed again.

# %%
folder = Path(os.environ.get("WORKBENCH_STUDY", "study"))
folder.mkdir(parents=True, exist_ok=True)
store_path = folder / "similarity.duckdb"
summary = run(find("similarity-multilingual"), store_path)
store = Store.open(store_path)
query(store, "similarities").filter(pl.col("label") == "all").select("languages", "pairs", "mean", "spearman", "largest_gap")

# %% [markdown]
# Which parts of speech meet? The shares are of all relevance between words, with 95 % intervals over pairs of texts.

# %%
by_part_of_speech = query(store, "pos_pairs")
pos_heatmap(by_part_of_speech)

# %%
noun_verb(query(store, "noun_noun_verb_verb"))

# %% [markdown]
# Within a language identical words carry much of it. Across languages there are few of them: there it is translations, and words that no
# dictionary joins.

# %%
matches = query(store, "matched_by")
matched_by(matches)

# %% [markdown]
# ## Where the meaning flips
#
# A negated sentence says the opposite. Is it less similar than a paraphrase? Ticks are single pairs.

# %%
contrasts = query(store, "insensitivity", languages="en")
insensitivity(contrasts, query(store, "insensitivity_points", languages="en"))

# %% [markdown]
# What keeps the similarity up: words that are the same in both, and what the negation itself contributes.

# %%
parts = query(store, "insensitivity_parts", languages="en")
parts.filter(pl.col("contrast") == "negation").select("part", "share", "low", "high", "interactions")

# %% [markdown]
# ## How far to trust this
#
# Every cell is booked: they sum to the model's own similarity. That says what the number is made of. It does not say what a person would have
# seen, nor that the words *cause* the similarity in any other sense; `workbench evaluate similarity` measures how well deleting words agrees.

# %%
trust = store.sql("SELECT count(*) AS pairs, max(abs(gap)) AS largest_gap FROM pairs")
trust
