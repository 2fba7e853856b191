"""When a pipeline runs, as its declaration says."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from workbench.pipeline.schedule.slots import slots_of
from workbench.pipeline.strict import Strict


class ScheduleChoice(Strict):
    """How often a pipeline runs: `every = "1 day"`, `"6 hours"`, `"2 weeks"`, or a cron expression of five fields.

    Days, weeks and months begin `at` a time of day (00:00) in `timezone` (the machine's); hours, minutes and seconds are elapsed time.
    A run that fails for a reason that can pass is tried `retries` times more. `on_completion` and `on_failure` are commands.
    """

    every: str
    at: str = Field(default="00:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    timezone: str | None = None
    workers: int = Field(default=1, ge=1)
    retries: int = Field(default=3, ge=0)
    on_completion: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()

    @field_validator("on_completion", "on_failure")
    @classmethod
    def a_program(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        """A command names its program first."""
        if command and not command[0].strip():
            raise ValueError('give the program and its arguments as a list: ["notify", "--to", "me"]')
        return command

    @model_validator(mode="after")
    def understood(self) -> ScheduleChoice:
        """`every` and `timezone` mean something."""
        slots_of(self.every, self.at, self.timezone)
        return self
