"""Whether a VMA has restarted and forgotten its jobs, from what it knew of each and when."""

from domain.evidence import Amnesia
from domain.processes.vma_memory import VMAMemory
from domain.recovery_policy import Policy
from tests.support.builders import at

POLICY = Policy()
FORGOT = Amnesia(since=at(-60), not_found=9, asked=10)


def memory_of(*, knows: str = "", misses: str = "") -> VMAMemory:
    """Return the memory of a VMA that knew all these jobs, one per letter, and misses some of them now."""
    memory = VMAMemory()
    answer(memory, knows=knows + misses)
    answer(memory, misses=misses)
    return memory


def answer(memory: VMAMemory, *, knows: str = "", misses: str = "") -> None:
    for job_id in knows:
        memory.mark_found(job_id)
    for job_id in misses:
        memory.mark_missing(job_id)


def outage(memory: VMAMemory, *, knows: str = "", misses: str = "") -> None:
    """Have the VMA unreachable for these jobs, and answer like this then."""
    for job_id in knows + misses:
        memory.mark_unreachable(job_id)
    answer(memory, knows=knows, misses=misses)


def amnesia(memory: VMAMemory, job_id: str) -> tuple[int, int] | None:
    """Return of how many jobs how many were forgotten, if this one was."""
    memory.detect_amnesia(job_id, POLICY, at(0))
    found = memory.amnesia_of(job_id)
    return None if found is None else (found.not_found, found.asked)


class TestAfterAnOutage:
    """A VMA that was down may have restarted: the appliance rebooted, and its workers died with it."""

    def test_a_single_job_that_is_not_found_after_an_outage_was_forgotten(self) -> None:
        memory = memory_of(knows="a")

        outage(memory, misses="a")

        assert amnesia(memory, "a") == (1, 1)

    def test_a_single_job_that_is_not_found_without_an_outage_was_not_forgotten(self) -> None:
        assert amnesia(memory_of(misses="a"), "a") is None

    def test_a_job_that_was_found_after_the_outage_was_not_forgotten_in_it(self) -> None:
        memory = memory_of(knows="a")
        outage(memory, knows="a")

        answer(memory, misses="a")

        assert amnesia(memory, "a") is None

    def test_jobs_that_this_process_never_found_were_forgotten_in_an_outage(self) -> None:
        memory = VMAMemory()

        outage(memory, misses="ab")

        assert amnesia(memory, "b") == (2, 2)

    def test_half_of_the_jobs_were_not_forgotten_in_an_outage(self) -> None:
        memory = memory_of(knows="abcd")

        outage(memory, knows="cd", misses="ab")

        assert amnesia(memory, "a") is None

    def test_a_job_for_which_the_vma_was_never_unreachable_was_not_forgotten(self) -> None:
        """The id of another job hangs, and the VMA is there."""
        memory = memory_of(knows="ab")
        memory.mark_unreachable("b")

        answer(memory, misses="a")

        assert amnesia(memory, "a") is None

    def test_a_job_that_was_missing_before_the_outage_was_not_forgotten_in_it(self) -> None:
        memory = memory_of(misses="a")

        outage(memory, misses="a")

        assert amnesia(memory, "a") is None

    def test_jobs_of_which_nothing_is_known_since_the_outage_do_not_tell_against_a_restart(self) -> None:
        """Their ids hang, for example."""
        memory = memory_of(knows="abcd")

        outage(memory, misses="a")

        assert amnesia(memory, "a") == (1, 1)

    def test_a_job_that_the_vma_did_not_know_before_the_outage_does_not_tell_against_a_restart(self) -> None:
        """The next job is registered and runs right after the reboot."""
        memory = memory_of(knows="a")

        outage(memory, misses="a")
        answer(memory, knows="bb")

        assert amnesia(memory, "a") == (1, 1)

    def test_a_job_that_the_vma_knew_before_our_own_restart_tells_against_one_of_the_vma(self) -> None:
        memory = VMAMemory()
        outage(memory, misses="a")

        memory.mark_found("b", known_before=True)

        assert amnesia(memory, "a") is None

    def test_a_job_that_has_ended_was_not_unreachable_when_its_name_is_registered_again(self) -> None:
        memory = memory_of(knows="a")
        memory.mark_unreachable("a")
        memory.forget("a")

        answer(memory, misses="a")

        assert amnesia(memory, "a") is None

    def test_a_second_outage_counts_for_the_jobs_that_were_found_between(self) -> None:
        memory = memory_of(knows="a")
        outage(memory, knows="a")

        outage(memory, misses="a")

        assert amnesia(memory, "a") == (1, 1)


class TestReturned:
    """Workers report again one after the other: those that have already do not tell against a restart."""

    def test_jobs_that_are_found_again_were_forgotten_with_the_one_that_is_not(self) -> None:
        memory = memory_of(knows="de", misses="abc")

        answer(memory, knows="bc")

        assert amnesia(memory, "a") == (3, 5)

    def test_jobs_that_were_found_again_before_the_job_was_last_found_do_not_count(self) -> None:
        memory = memory_of(knows="a", misses="bc")
        answer(memory, knows="bc")
        answer(memory, knows="a")

        answer(memory, misses="a")

        assert amnesia(memory, "a") is None

    def test_a_job_that_was_always_found_was_not_forgotten(self) -> None:
        memory = memory_of(misses="abc")

        answer(memory, knows="bcd")

        assert amnesia(memory, "a") == (3, 4)
        assert amnesia(memory, "d") is None

    def test_a_returned_job_that_has_ended_does_not_count_any_more(self) -> None:
        memory = memory_of(misses="abc")
        answer(memory, knows="bc")

        memory.forget("c")

        assert amnesia(memory, "a") is None

    def test_a_returned_job_that_is_missing_again_counts_once(self) -> None:
        memory = memory_of(misses="ab")
        answer(memory, knows="b")

        answer(memory, misses="b")

        assert amnesia(memory, "a") is None


class TestLaterLosses:
    """Jobs of a past restart may be missing for a long time, until an operator decides. Others go on meanwhile."""

    def test_a_job_that_is_lost_later_was_not_forgotten_with_those_of_a_past_restart(self) -> None:
        memory = memory_of(misses="abc")
        assert amnesia(memory, "a") == (3, 3)
        answer(memory, knows="d")

        answer(memory, misses="d")

        assert amnesia(memory, "d") is None

    def test_a_job_that_is_lost_later_shares_the_amnesia_when_those_are_asked_again(self) -> None:
        memory = memory_of(misses="abc")
        answer(memory, knows="d")
        answer(memory, misses="d")

        assert amnesia(memory, "a") == (4, 4)
        assert amnesia(memory, "d") == (4, 4)

    def test_jobs_that_the_next_restart_forgets_were_forgotten_together(self) -> None:
        memory = memory_of(misses="abc")
        answer(memory, knows="defg")

        answer(memory, misses="def")

        assert amnesia(memory, "d") == (3, 4)

    def test_the_next_restart_is_announced_again(self) -> None:
        memory = memory_of(misses="a")
        answer(memory, knows="bc")

        assert memory.mark_missing("b")
        assert not memory.mark_missing("b")
        assert not memory.mark_missing("c")
        assert not memory.mark_missing("a")


class TestRestored:
    """After a restart of this process, the decisions tell what was known."""

    def test_a_job_was_forgotten_and_its_vma_has_the_amnesia(self) -> None:
        memory = VMAMemory()

        memory.restore("a", FORGOT)

        assert memory.amnesia_of("a") == FORGOT
        assert memory.amnesia_of("b") is None

    def test_a_job_that_was_found_since_is_not_forgotten(self) -> None:
        memory = VMAMemory()
        for job_id in "abc":
            memory.restore(job_id, FORGOT)
        answer(memory, knows="ab")

        answer(memory, misses="a")

        assert [memory.amnesia_of(job_id) for job_id in "abc"] == [None, None, FORGOT]
