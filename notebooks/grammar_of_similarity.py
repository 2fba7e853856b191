# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # The grammar of similarity: which words make two sentences alike?
#
# A sentence encoder gives two sentences one number. Vasileiou and Eberle (2024) asked which words it is made of, and found that nouns and verbs
# carry it. Here the question is put to the encoder `multilingual-similarity` over 66 pairs of English sentences, with the interval that 66
# pairs allow:
#
# 1. Which words carry the similarity of one pair?
# 2. Which parts of speech and which grammatical functions carry it over all pairs?
# 3. Does it fall when the meaning flips, and if not, what holds it up?
#
# **Read this first.** Pairs and judgements are by one author. They demonstrate, they are no benchmark.

# %%
# %load_ext workbench

import polars as pl

from workbench import load_encoder, query
from workbench.notebook import ask, compare, follow, pair_arcs, pair_map, prepared
from workbench.viz.effect_charts import effects
from workbench.viz.similarity_charts import insensitivity, noun_verb, pos_heatmap


# %% [markdown]
# ## One pair
#
# Each text runs through the encoder once. What two words share is the product of what each contributes to the two embeddings (BiLRP); words,
# special tokens, positions and biases add up to the similarity that the model gives.

# %%
encoder = load_encoder("multilingual-similarity")
pair = compare(encoder, "The dog chases the cat.", "The cat chases the dog.")
pair_arcs(pair)

# %%
pair_map(pair)

# %% [markdown]
# The two sentences say opposite things with the same words. *Dog* meets *dog*, *cat* meets *cat*, and the similarity is almost that of a text
# with itself.

# %% [markdown]
# ## All pairs
#
# A pipeline explains the sample. This study reads its English part; the next one compares languages.

# %%
store = prepared("similarity-multilingual", languages=("en", "de", "es", "en=de", "en=es"))

# %%
by_part_of_speech = query(store, "pos_pairs", languages="en")
pos_heatmap(by_part_of_speech)

# %% [markdown]
# Shares add up over all pairs of parts of speech, frequent ones included. **Lift** takes their number out: share of the similarity over share of
# the word pairs. At 1, a class holds what its number alone would give.

# %%
lifted = by_part_of_speech.filter(pl.col("pairs") >= 15).with_columns(
    pl.format("{} × {}", "left_upos", "right_upos").alias("classes")
)
effects(
    lifted.sort("lift", descending=True),
    "classes",
    "lift",
    title="English pairs, parts of speech in at least 15 pairs of sentences",
    none=1.0,
    log=True,
)

# %%
noun_verb(query(store, "noun_noun_verb_verb", languages="en"))

# %% [markdown]
# **What it means.** Nouns that meet nouns hold by far the largest share. Per meeting, though, a verb with a verb counts about as much as a noun
# with a noun: nouns hold more because there are more of them. Words of function, whatever they meet, hold less than their number.

# %% [markdown]
# ## Grammatical functions
#
# The same by dependency relation: subjects meet subjects, roots meet roots. A passive moves the object to the subject; a model that compares
# words, not functions, does not mind.

# %%
functions = ask(store, "relation_pairs", languages="en")
functions

# %%
follow(store, functions, row=2)

# %%
passives = query(store, "relation_pairs", languages="en", label="passive").filter(
    pl.col("pairs") >= 4
)
passives.select(
    "left_relation", "right_relation", "share", "low", "high", "lift", "pairs"
).head(6)

# %% [markdown]
# ## Where the meaning flips
#
# Ticks are single pairs, dots their means with 95 % intervals. Is a negated sentence, or one with its roles exchanged, less similar than a
# paraphrase is?

# %%
contrasts = query(store, "insensitivity", languages="en")
insensitivity(contrasts, query(store, "insensitivity_points", languages="en"))

# %% [markdown]
# What holds the similarity of negated pairs up: `identical` words that stand in both, and the `contrast`, what the negation itself contributes.

# %%
parts = query(store, "insensitivity_parts", languages="en").filter(
    pl.col("contrast") == "negation"
)
parts.select("part", "share", "low", "high", "interactions")

# %% [markdown]
# **What it means.** Exchanged roles leave the similarity where it was, above every paraphrase: this encoder compares which words there are, not
# who does what to whom. Negated pairs are not told from paraphrases by the mean either: their intervals overlap.

# %% [markdown]
# ## How far to trust it
#
# Cells sum to the model's own similarity, to a millionth. That says what the number is made of. It does not say that deleting a word would lower
# it by as much: `workbench evaluate similarity` measures that, beside eleven other methods. And 66 pairs by one author, written to contrast
# meanings, have the grammar that their author gave them: shares are of this sample, lifts travel better.

# %%
trust = (
    query(store, "similarities", languages="en")
    .filter(pl.col("label") == "all")
    .select("model", "pairs", "mean", "spearman", "largest_gap")
)
trust
