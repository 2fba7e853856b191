# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # First steps: from one text to a corpus, and back to the text
#
# Ten minutes with the workbench, on 48 Bengali posts that come along. You will explain one post, ask a whole corpus in SQL, find a pattern, and
# follow a row of an answer back to the words and posts that stand behind it. Nothing is fetched.
#
# **Relevance** is what a model's own number is made of: each word's share of the logit of the class that is explained. It says what the model
# used, not what is true.

# %%
# %load_ext workbench

import polars as pl

from workbench import explain, heatmap, load, query, read
from workbench.notebook import ask, explore, follow, prepared
from workbench.viz.effect_charts import effects


# %% [markdown]
# ## One post
#
# A corpus is a folder, a model is a name, and `explain` runs the model once forward and once backward. Orange words speak for the class that
# the model chose, blue ones (dotted below) against it; the pointer shows the numbers. The classes are kinds of hate: the corpus has no class
# "not hate", so the model calls *every* text one of the four.

# %%
model = load("bengali-hate")
post = explain(model, read("bengali-hate-sample", split="test", limit=1))[0]
heatmap(post)

# %% [markdown]
# The same as a Polars frame, the strongest words first.

# %%
strongest = post.words.filter(kind="word").sort("relevance", descending=True).select("form", "lemma", "upos", "relevance")
strongest.head(5)

# %% [markdown]
# **Does it add up?** Every unit of the logit is booked: words, special tokens and what stands between words, positions, biases, and what the
# rules absorb. The gap is what is left when all accounts are taken from the target; above one in ten thousand it would be an error.

# %%
accounts = pl.DataFrame({"account": [*post.ledger.accounts, "gap", "target"], "logit": [*post.ledger.accounts.values(), post.ledger.gap, post.ledger.target]})
accounts

# %% [markdown]
# ## A corpus
#
# A pipeline does the same for all posts and keeps it in one DuckDB file, beside parts of speech and lemmas. Run this cell twice: the second
# time nothing is computed.

# %%
store = prepared("bengali-hate", split="test", evaluated=12)

# %% [markdown]
# The store is SQL. `%%sql` asks it where it can neither change anything nor read anything else; `$least` is this notebook's variable.

# %%
least = 20

# %%
# %%sql store >> by_class
SELECT upos, count(*) AS words, avg(relevance) AS mean, sum(abs(relevance)) / sum(sum(abs(relevance))) OVER () AS share
FROM word_relevance WHERE kind = 'word' AND model = 'bengali-hate'
GROUP BY upos HAVING count(*) >= $least ORDER BY share DESC

# %% [markdown]
# Everyday questions need no SQL: `query` answers them by name, with intervals that take whole posts as the unit. **Lift** compares the share of
# the relevance that a part of speech holds with its share of the words; at 1 it holds what its number alone would give.

# %%
by_upos = query(store, "relevance_by_upos").filter(pl.col("label") == "Geopolitical", pl.col("lift").is_not_null(), pl.col("occurrences") >= 10)
effects(by_upos, "upos", "lift", title="Relevance for the class Geopolitical, by part of speech", none=1.0, log=True)

# %% [markdown]
# ## From an answer back to the posts
#
# `ask` gives the same answer with a line that says how far to trust it, and its rows can be followed.

# %%
terms = ask(store, "top_terms", label="Geopolitical", limit=5, minimum_documents=2)
terms

# %%
follow(store, terms, row=1)

# %% [markdown]
# ## A pattern
#
# The corpus linguist's query language (CQL) knows relevance as an attribute like any other: adjectives with a noun behind them, of which the
# adjective speaks for the class. Change the pattern in the field and the concordance answers.

# %%
explore(store, '[upos="ADJ" & relevance>0.1] [upos="NOUN"]', limit=10)

# %% [markdown]
# ## How far to trust it
#
# The line under each answer says it: whether the ledgers close, and how much further the model's probability falls when the most relevant words
# are taken away than when random words are. An interval that reaches zero means: not shown to be better than random. And what no such
# number can say stands at the end of every line: relevance is association in this model, not cause in the world.

# %%
trust = query(store, "conservation").select("model", "explanations", "largest", "closed")
trust

# %% [markdown]
# **Next.** `bengali_hate_speech` asks what carries each class; `is_it_faithful` asks whether such numbers deserve to be believed at all.
# `workbench query` at the terminal lists all questions by name.
