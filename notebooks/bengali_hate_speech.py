# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # What makes a model call a Bengali post political, personal, religious or geopolitical hate?
#
# A small study on posts that come with the workbench. It runs in a minute and asks three questions:
#
# 1. Which words carry the decision in one post?
# 2. Which words carry each class across all posts, and how sure are we?
# 3. How far can these numbers be trusted?
#
# **Read this first.** The corpus has no "not hate" class. The model says *which kind* of hate a post is, never *whether* it is hate.

# %%
# %load_ext workbench

import os
from pathlib import Path

import altair as alt
import polars as pl

from workbench import Store, explain, heatmap, load, query, read
from workbench.pipeline.declaration import find
from workbench.pipeline.run import run


# %% [markdown]
# ## One post
#
# `explain` runs every member of the ensemble once forward and once backward under the rules of AttnLRP. The model's answer does not change
# by it; relevance of the words, of positions, of biases and what the softmax rule absorbs add up to the logit that is explained.

# %%
model = load("bengali-hate")
post = next(iter(explain(model, read("bengali-hate-sample", split="test", limit=1))))
heatmap(post)

# %%
ledger = pl.DataFrame({"account": list(post.ledger.accounts), "logit": list(post.ledger.accounts.values())})
ledger.vstack(pl.DataFrame({"account": ["gap", "target"], "logit": [post.ledger.gap, post.ledger.target]}))

# %% [markdown]
# ## All posts
#
# A pipeline writes the same numbers for a whole corpus into a DuckDB file. Running it twice computes nothing twice.

# %%
store = Path(os.environ.get("WORKBENCH_STUDY", "study")) / "bengali.duckdb"
declared = find("bengali-hate")
few = declared.model_copy(update={"corpus": declared.corpus.model_copy(update={"split": "test"})})
summary = run(few.model_copy(update={"evaluation": few.evaluation.model_copy(update={"documents": 6})}), store)
summary.explained, summary.stored

# %% [markdown]
# The strongest words for each class: mean relevance of one occurrence, with a bootstrap interval over documents. With so few posts the
# intervals are wide; on the real corpus (`workbench run bengali-hate-corpus`) they are not.

# %%
terms = query(store, "top_terms", limit=6, minimum_documents=2, form="form").filter(pl.col("side") == "for")
base = alt.Chart(terms).encode(y=alt.Y("term:N", sort="-x", title=None))
points = base.mark_point(filled=True, color="#b35806").encode(x=alt.X("mean:Q", title="mean relevance (logit)"))
intervals = base.mark_rule(color="#b35806").encode(x="low:Q", x2="high:Q")
(intervals + points).properties(width=220, height=140).facet(facet=alt.Facet("label:N", title=None), columns=2).resolve_scale(y="independent")

# %% [markdown]
# The store is SQL. Which parts of speech does the model rely on?

# %%
with Store.open(store) as opened:
    by_part_of_speech = opened.sql(
        """
        SELECT upos, sum(abs(relevance)) / sum(sum(abs(relevance))) OVER () AS share, count(*) AS words
        FROM word_relevance WHERE model = 'bengali-hate' AND kind = 'word' GROUP BY upos ORDER BY share DESC
        """
    )
by_part_of_speech

# %% [markdown]
# ## How far to trust it
#
# Two checks. The ledger says whether every unit of relevance is accounted for (it must close). Faithfulness says what the model does when
# the most relevant words are taken away, beside random words. Neither proves that a word is the *cause* of a decision.

# %%
query(store, "conservation").select("model", "explanations", "largest", "closed")

# %%
faithfulness = query(store, "faithfulness").filter((pl.col("ordering") == "signed") & (pl.col("metric") == "comprehensiveness"))
faithfulness.select("method", "mean", "low", "high", "documents").sort("mean", descending=True)

# %% [markdown]
# **Reading.** Words that name a group or a country carry a class by themselves: see the bias note of `workbench report`. A post that merely
# names them is pulled towards that class, whatever it says.
