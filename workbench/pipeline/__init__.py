"""Running: a declaration becomes a plan (wanted minus stored), the plan becomes jobs, each job a batch in the store."""
