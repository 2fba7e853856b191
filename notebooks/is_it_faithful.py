# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Is it faithful?
#
# A heatmap always looks like a reason. Four questions stand between a number and belief in it:
#
# 1. **Does it add up?** Relevance that gets lost on the way is relevance that somebody else would have found elsewhere.
# 2. **Does the model change its mind** when the most relevant words go, more than when random words go?
# 3. **Is the signal found where we put it?** Only in a planted signal is the truth known.
# 4. **Does it notice another model?** An explanation that stays when the weights are made random explains the text, not the model.
#
# Every method is asked beside others and beside random order, and may lose.

# %%
# %load_ext workbench

import altair as alt
import polars as pl

from workbench import Store, query
from workbench.evaluation.planted_run import Size, planted_run
from workbench.evaluation.randomization_run import randomization_control
from workbench.notebook import ask, follow, prepared
from workbench.viz import charts

#: Methods of one family in one colour, others in another, what knows nothing in grey (safe for colour-blind readers).
LRP = ["attnlrp", "cplrp", "palrp"]
colour = alt.Color(
    "family:N",
    scale=alt.Scale(
        domain=["LRP", "other", "random"], range=["#d55e00", "#0072b2", "#767676"]
    ),
    title=None,
)
family = (
    pl.when(pl.col("method").is_in(LRP))
    .then(pl.lit("LRP"))
    .when(pl.col("method") == "random")
    .then(pl.lit("random"))
    .otherwise(pl.lit("other"))
    .alias("family")
)


# %% [markdown]
# ## Does it add up?
#
# The gap of each explanation, over all posts and all members of the ensemble; the dashed line is the bar.

# %%
store = prepared("bengali-hate", split="test", evaluated=12)

# %%
gaps = Store.open(store).sql("SELECT model, relative_gap FROM explanations")
charts.gaps(gaps)

# %% [markdown]
# ## Does the model change its mind?
#
# Comprehensiveness (DeYoung et al. 2020): how far the probability of the decision falls when the most relevant words are taken away; the grey band
# is random order. Circles rank words by signed relevance, diamonds by its size.

# %%
measured = ask(store, "faithfulness", model="bengali-hate")
charts.faithfulness(measured.frame, "comprehensiveness", better="higher is better")

# %%
charts.faithfulness(measured.frame, "sufficiency", better="lower is better")

# %% [markdown]
# The numbers, and the posts behind the best row. With twelve posts the intervals of good methods overlap: the ranking among them means little.

# %%
measured

# %%
comprehensiveness = measured.frame.filter(
    metric="comprehensiveness", ordering="signed"
).sort("mean", descending=True)
comprehensiveness.select("method", "mean", "low", "high", "documents")

# %%
follow(store, measured, row=1)

# %% [markdown]
# ## Is the signal found where we put it?
#
# A small model is trained on texts of random words whose label is one planted word. It answers rightly with the word and by chance without, so that we
# know what it relies on. Precision: share of texts in which a method ranks the planted word first.

# %%
run = planted_run("single_token", 0, Size(ranked=30, tested=0))
precision = run.found.filter(reading="tokens").with_columns(family)
alt.Chart(precision).mark_point(filled=True, size=70, opacity=1).encode(
    x=alt.X(
        "precision_at_k:Q",
        title="precision (share of texts)",
        scale=alt.Scale(domain=[0, 1]),
    ),
    y=alt.Y("method:N", sort="-x", title=None),
    color=colour,
    shape=alt.Shape(
        "ordering:N",
        scale=alt.Scale(domain=["signed", "absolute"], range=["circle", "diamond"]),
        title="words ranked by relevance",
    ),
).properties(width=360, height={"step": 20})

# %%
relies = pl.DataFrame(
    {
        "with the signal": [run.reliance.accuracy],
        "without it": [run.reliance.control_accuracy],
        "texts": [int(precision["texts"].max())],
    }
)
relies

# %% [markdown]
# One easy signal is the least that can be asked. Methods, ours too, lose on order and context: see the README, and `workbench validate` for 63 models.

# %% [markdown]
# ## Does it notice another model?
#
# Adebayo et al. (2018): the weights of a trained model are made random from the head downwards, and each stage is explained again. The rank correlation
# with the first explanation has to fall. What looks at attention alone cannot notice a new head; what does not look at the model at all stays at 1.

# %%
shaken = randomization_control(
    ("absolute",), embedded=False, texts=8, draws=1, workers=1
).found.with_columns(family)
alt.Chart(shaken).mark_line(point=alt.OverlayMarkDef(filled=True, size=45)).encode(
    x=alt.X(
        "stage:N",
        sort=shaken.sort("depth")["stage"].unique(maintain_order=True).to_list(),
        title="weights are random from the head down to",
        axis=alt.Axis(labelAngle=0),
    ),
    y=alt.Y("correlation:Q", title="rank correlation of |relevance|"),
    color=colour,
    detail="method:N",
).properties(width=420, height=220)

# %%
last = (
    shaken.filter(pl.col("depth") == pl.col("depth").max())
    .sort("correlation")
    .select("method", "correlation", "low", "high", "texts")
)
last

# %% [markdown]
# ## What this says, and what not
#
# * The ledgers close: nothing is hidden. That is bookkeeping, not truth: a wrong rule can add up too.
# * Taking away what is ranked high moves the model more than taking away random words. But texts with holes are unlike any that the model has read.
# * A planted word is found. Real reasons are seldom one word.
# * Relevance goes when the weights go.
#
# None of it makes relevance a cause, and none of it says that people would give the same reason: agreement with human rationales
# (`workbench validate --parts rationales`) is plausibility, which is something else.

# %%
trust = query(store, "conservation").select("model", "explanations", "largest", "closed")
trust
