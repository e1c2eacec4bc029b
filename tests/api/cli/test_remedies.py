"""The command that a job's attention names is one that the command line reads."""

import shlex

import pytest

from api.cli.arguments import top_parser
from domain.attention import attention
from domain.recovery_policy import Basis
from domain.replication_job import ReplicationJob


@pytest.mark.parametrize(
    "job_id", ["web-03", "ctx-PhilB Test machine", "it's", "a|b;$(c)", "größe 日本", "-1", "--web", "--"]
)
def test_a_command_that_is_pasted_decides_the_job_that_it_is_printed_for(job_id: str) -> None:
    [said] = attention(ReplicationJob(id=job_id, outcome_basis=Basis.INFERRED))
    printed = said.partition(": `")[2].removesuffix("`, or `complete`")

    program, *line = shlex.split(printed)
    asked = vars(top_parser("", "")[0].parse_args(line))

    assert (program, asked["function"]) == ("job-recovery", "api.cli.present.decide")
    assert (asked["job"], asked["outcome"], asked["why"]) == (job_id, "fail", "…")
