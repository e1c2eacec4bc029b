"""Questions about VM contexts."""

from urllib.parse import quote

from tests.oracle import answers
from tests.oracle.answers import page
from tests.oracle.past import at
from tests.oracle.question import NOT_FOUND, Answer, Draw, Query, Question, several, without_cursor


def context_now(draw: Draw) -> Question:
    """Ask for a VM context."""
    context_id = draw.context()

    def answer(head: int) -> Answer:
        context = at(draw.past.contexts.get(context_id, []), head)
        return (200, answers.context_view(context)) if context else NOT_FOUND

    return Question(path=f"/vm-contexts/{quote(context_id)}", answer=answer)


def context_list(draw: Draw) -> Question:
    """Ask for a page of VM contexts."""
    active = draw.one_of([None, True, False])
    query = several("active", [] if active is None else [active])
    limit = draw.limit()
    command = ["contexts", *(["--active"] if active else []), "--limit", str(limit)]

    def question(after: str, cursor: Query) -> Question:
        return Question(
            path="/vm-contexts",
            query=[*query, ("limit", str(limit)), *cursor],
            answer=lambda head: (200, page(answers.context_list(draw.past, head, active, after), limit)),
            shown=without_cursor,
            command=None if cursor or active is False else command,
            more=lambda given: question(given["items"][-1]["vm_context_id"], [("cursor", given["next_cursor"])]),
        )

    return question("", [])


KINDS = {context_now: 4, context_list: 2}
