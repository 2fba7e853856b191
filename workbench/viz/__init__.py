"""Show: frames in, HTML, charts or terminal lines out; nothing here computes relevance, opens a store or starts a model.

`heatmap.heatmap` draws one post, `report.report` a whole page from `data.ReportData`, `charts` for notebooks, `terminal` tables and posts.
Pairs (`pair.Pair`): `interaction_map.interaction_map`, `arcs.arcs`, `pair_terminal.pair_summary`; a corpus of them: `similarity_charts`,
`similarity_report.similarity_report` from `similarity_data.SimilarityReport`; `retrieval.retrieval` a query with its passages.
Translations (`contribution_map.ContributionData`): `contribution_map.contribution_map`, `contribution_charts` for a corpus.
"""
