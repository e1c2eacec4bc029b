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

    def test_a_single_job_that_is_not_found_was_forgotten(self) -> None:
        memory = memory_of(knows="a")

        outage(memory, misses="a")

        assert amnesia(memory, "a") == (1, 1)

    def test_without_one_a_single_job_was_not(self) -> None:
        assert amnesia(memory_of(misses="a"), "a") is None

    def test_a_job_that_was_found_after_it_was_not(self) -> None:
        memory = memory_of(knows="a")
        outage(memory, knows="a")

        answer(memory, misses="a")

        assert amnesia(memory, "a") is None

    def test_one_before_this_process_asked_counts_too(self) -> None:
        memory = VMAMemory()

        outage(memory, misses="ab")

        assert amnesia(memory, "b") == (2, 2)

    def test_half_of_the_jobs_or_fewer_are_not_most(self) -> None:
        memory = memory_of(knows="abcd")

        outage(memory, knows="cd", misses="ab")

        assert amnesia(memory, "a") is None

    def test_a_job_of_which_it_was_never_unreachable_was_not(self) -> None:
        """The id of another job hangs, and the VMA is there."""
        memory = memory_of(knows="ab")
        memory.mark_unreachable("b")

        answer(memory, misses="a")

        assert amnesia(memory, "a") is None

    def test_a_job_that_was_missing_before_the_outage_was_not(self) -> None:
        memory = memory_of(misses="a")

        outage(memory, misses="a")

        assert amnesia(memory, "a") is None

    def test_jobs_of_which_nothing_is_known_since_do_not_tell_against_it(self) -> None:
        """Their ids hang, for example."""
        memory = memory_of(knows="abcd")

        outage(memory, misses="a")

        assert amnesia(memory, "a") == (1, 1)

    def test_a_job_that_the_vma_did_not_know_before_does_not_tell_against_it(self) -> None:
        """The next job is registered and runs right after the reboot."""
        memory = memory_of(knows="a")

        outage(memory, misses="a")
        answer(memory, knows="bb")

        assert amnesia(memory, "a") == (1, 1)

    def test_a_job_that_it_knew_before_a_restart_of_this_process_does(self) -> None:
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

    def test_those_that_were_found_again_before_the_job_was_last_found_do_not_count(self) -> None:
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

    def test_one_that_has_ended_does_not_count_any_more(self) -> None:
        memory = memory_of(misses="abc")
        answer(memory, knows="bc")

        memory.forget("c")

        assert amnesia(memory, "a") is None

    def test_one_that_is_missing_again_counts_once(self) -> None:
        memory = memory_of(misses="ab")
        answer(memory, knows="b")

        answer(memory, misses="b")

        assert amnesia(memory, "a") is None


class TestLaterLosses:
    """Jobs of a past restart may be missing for a long time, until an operator decides. Others go on meanwhile."""

    def test_a_job_that_is_lost_later_was_not_forgotten_with_them(self) -> None:
        memory = memory_of(misses="abc")
        assert amnesia(memory, "a") == (3, 3)
        answer(memory, knows="d")

        answer(memory, misses="d")

        assert amnesia(memory, "d") is None

    def test_until_those_are_asked_again_because_amnesia_is_shared(self) -> None:
        memory = memory_of(misses="abc")
        answer(memory, knows="d")
        answer(memory, misses="d")

        assert amnesia(memory, "a") == (4, 4)
        assert amnesia(memory, "d") == (4, 4)

    def test_but_with_the_others_that_the_next_restart_forgets(self) -> None:
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
