"""Show: frames in, HTML, charts or terminal lines out; nothing here computes relevance, opens a store or starts a model.

`heatmap.heatmap` draws one post, `report.report` a whole page from `data.ReportData`, `charts` for notebooks, `terminal` tables and posts.
"""
