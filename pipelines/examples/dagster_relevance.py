"""A relevance store as a Dagster asset: `pip install dagster`, then `dagster dev -f dagster_relevance.py`.

The workbench keeps what was done; Dagster decides when, shows it, and tries again what can pass (exit code 75). Run with Dagster 1.13,
which reads the annotation of `context` as it stands: annotations must not be postponed here.
"""

import json
import subprocess
import sys
from typing import Any

import dagster

PIPELINE, STORE = "bengali-hate", "relevance.duckdb"
LATER = 75


def workbench(context: Any, *arguments: str) -> dict[str, Any]:
    """What a command of the workbench answers as JSON; its log goes to Dagster's, its exit code becomes a failure or a retry."""
    command = [sys.executable, "-m", "workbench", *arguments, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stdout is not None
    for line in process.stderr:
        context.log.info(line.rstrip())
    answer, code = process.stdout.read(), process.wait()
    if code == LATER:
        raise dagster.RetryRequested(max_retries=3, seconds_to_wait=60)
    if code:
        raise dagster.Failure(description=f"{' '.join(command)} ended with exit code {code}", metadata={"exit_code": code})
    found: dict[str, Any] = json.loads(answer)
    return found


@dagster.asset
def relevance_store(context: dagster.AssetExecutionContext) -> dagster.MaterializeResult:
    """The store, brought up to its pipeline: only what is missing is computed."""
    plan = workbench(context, "plan", PIPELINE, "--store", STORE)
    context.log.info(f"{plan['missing']} documents to explain: {plan['reasons']}")
    done = workbench(context, "run", PIPELINE, "--store", STORE, "--log", "json")
    shown = ("explained", "stored", "failed", "rejected", "tokens", "seconds")
    return dagster.MaterializeResult(metadata={name: done[name] for name in shown})


definitions = dagster.Definitions(
    assets=[relevance_store],
    schedules=[dagster.ScheduleDefinition(name="nightly", target=relevance_store, cron_schedule="30 2 * * *", execution_timezone="UTC")],
)
