"""What is due comes out once, in order, and nothing is left out."""

from hypothesis import given
from hypothesis import strategies as st

from domain.processes.schedule import Schedule


def test_a_job_that_is_put_again_is_due_at_the_later_time_only() -> None:
    agenda = Schedule()
    agenda.put("job-1", 1.0)
    agenda.put("job-1", 5.0)

    assert agenda.pop_all_due(4.9) == []
    assert agenda.pop_all_due(5.0) == ["job-1"]
    assert agenda.pop_all_due(9.9) == []


def test_a_dropped_job_is_not_due() -> None:
    agenda = Schedule()
    agenda.put("job-1", 1.0)
    agenda.drop("job-1")
    agenda.drop("job-1")

    assert (agenda.pop_due(2.0), len(agenda), "job-1" in agenda) == (None, 0, False)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 100), max_size=30), st.floats(0, 100))
def test_exactly_what_is_due_comes_out_in_the_order_of_its_time(due: dict[str, float], now: float) -> None:
    agenda = Schedule()
    for job_id, at in due.items():
        agenda.put(job_id, at)

    taken = agenda.pop_all_due(now)

    assert sorted(taken) == sorted(job_id for job_id, at in due.items() if at <= now)
    assert [due[job_id] for job_id in taken] == sorted(due[job_id] for job_id in taken)
    assert len(agenda) == len(due) - len(taken)
