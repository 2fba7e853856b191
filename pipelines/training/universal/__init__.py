"""Training of the embedded pipelines over Universal Dependencies: English, German, French, Spanish."""
