# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Similarity across languages, and in biomedical texts
#
# Two encoders, two places where similarity is put to work: finding a translation, and finding evidence. What is the number made of there?
#
# 1. Within a language and across two: which words meet, and what joins them: the same letters, the same lemma, a dictionary?
# 2. In biomedical sentences: does the similarity fall where a claim is denied, or its direction turned?
#
# Both questions follow Vasileiou and Eberle (2024). **Read this first.** The pairs are by one author: 66 in several languages, 49 biomedical ones.
# They demonstrate, they are no benchmark.

# %%
# %load_ext workbench

import polars as pl

from workbench import load_encoder, query
from workbench.notebook import ask, compare, follow, pair_arcs, prepared
from workbench.viz.similarity_charts import insensitivity, matched_by, noun_verb


# %% [markdown]
# ## One sentence in two languages

# %%
encoder = load_encoder("multilingual-similarity")
pair = compare(
    encoder,
    "The museum is open on Mondays.",
    "Das Museum ist montags geöffnet.",
    languages=("en", "de"),
)
pair_arcs(pair)

# %% [markdown]
# ## All pairs, within and across
#
# `en` are two English sentences, `en-de` an English sentence and its German translation. English, German and Spanish stand here;
# `workbench demo similarity-multilingual` adds French.

# %%
store = prepared("similarity-multilingual", languages=("en", "de", "es", "en=de", "en=es"))
levels = (
    query(store, "similarities")
    .filter(pl.col("label") == "all")
    .select("languages", "pairs", "mean", "spearman", "largest_gap")
)
levels

# %% [markdown]
# Do nouns and verbs carry as much in every language?

# %%
classes = query(store, "noun_noun_verb_verb")
noun_verb(classes.filter(pl.col("group").is_in(["en", "de", "es"])))

# %%
noun_verb(classes.filter(pl.col("group").str.contains("-")))

# %% [markdown]
# What joins the words that meet? Within a language most of the similarity lies between words that are written alike. Across languages few are: there
# words that the embedded dictionaries join, and words that nothing joins, have to carry it.

# %%
matches = query(store, "matched_by")
matched_by(matches)

# %% [markdown]
# Which words meet most strongly without being joined by letters, lemma or dictionary? A row leads to the pairs of sentences behind it.

# %%
unjoined = ask(
    store,
    "strongest_interactions",
    languages="en-de",
    match="other",
    minimum_pairs=1,
    limit=8,
    order="mean",
)
unjoined

# %%
follow(store, unjoined, row=1)

# %% [markdown]
# ## Biomedical sentences
#
# The second encoder is `all-MiniLM-L6-v2`, as released. 22 of 49 pairs deny or reverse their first sentence.

# %%
biomedical = prepared("similarity-biomedical")
contrasts = query(biomedical, "insensitivity")
insensitivity(contrasts, query(biomedical, "insensitivity_points"))

# %%
parts = query(biomedical, "insensitivity_parts").filter(pl.col("meaning") == "flipped")
parts.select("contrast", "part", "share", "low", "high", "interactions")

# %% [markdown]
# **What it means.** Pairs whose meaning is turned by an antonym are on average more similar to this encoder than paraphrases are, and the words that
# differ, the antonyms among them, add to the similarity. Negated pairs are not told from paraphrases: their intervals overlap. For search that means: a passage that contradicts a claim may rank with those that support it.

# %%
kidneys = ask(biomedical, "strongest_interactions", match="other", minimum_pairs=2, limit=5)
kidneys

# %%
follow(biomedical, kidneys, row=1)

# %% [markdown]
# ## How far to trust it
#
# Every pair sums to the model's own similarity. Dictionaries are incomplete, so that some words which "nothing joins" are translations all the same:
# *other* is an upper bound. Twelve antonym pairs give wide intervals, and the judgements are one author's. For figures with more behind them:
# `workbench run similarity-stsb-multilingual` and `similarity-biosses-contradiction`, with the mirror of their corpora.

# %%
trust = pl.concat(
    [
        query(path, "similarities")
        .filter(pl.col("label") == "all")
        .group_by("model")
        .agg(pl.col("pairs").sum(), pl.col("largest_gap").max(), pl.col("cut").sum())
        for path in (store, biomedical)
    ]
)
trust
