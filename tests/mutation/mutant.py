"""Mutants: the small changes of a module that its tests must notice."""

import difflib
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache

import msgspec
from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import-untyped]
from cosmic_ray.mutating import mutate_code  # type: ignore[import-untyped]
from cosmic_ray.plugins import get_operator, operator_names  # type: ignore[import-untyped]
from parso.tree import NodeOrLeaf

# Options of the classes (frozen, keyword-only), which speak to the type checker more than to a test; bit operators,
# which fail at import and would be points for nothing; identity in the place of equality or order, and the reverse,
# which differ by how Python stores equal values, and by no rule.
LEFT_OUT = re.compile(
    r"core/(ReplaceTrueWithFalse|ReplaceBinaryOperator_.*(Bit|Shift)"
    r"|ReplaceComparisonOperator_(Is(Not)?_(Eq|NotEq|Lt|Gt)|(Eq|NotEq|Lt|LtE|Gt|GtE)_Is))"
)


class Mutant(msgspec.Struct, frozen=True):
    """The change that an operator of cosmic-ray makes at the `occurrence`-th of the places where it can."""

    operator: str
    occurrence: int

    def of(self, source: str) -> str:
        """Return the changed source."""
        changed: str = mutate_code(source, get_operator(self.operator)(), self.occurrence)
        return changed

    def difference(self, source: str) -> str:
        """Return what is changed, line by line, each with its number in the source."""
        lines = difflib.unified_diff(source.splitlines(), self.of(source).splitlines(), n=0, lineterm="")
        return "\n".join(list(lines)[2:])


def mutants_of(source: str) -> Iterator[Mutant]:
    """Yield all mutants of a module, but for those that are left out or are no Python: noticing them proves nothing."""
    nodes = list(ast_nodes(get_ast(source)))
    for name in _operators():
        operator = get_operator(name)()
        places = [node for node in nodes for _ in operator.mutation_positions(node)]
        for occurrence, node in enumerate(places):
            mutant = Mutant(name, occurrence)
            if not _marks_a_parameter(node) and _is_python(mutant, source):
                yield mutant


def _marks_a_parameter(node: NodeOrLeaf) -> bool:
    """Return whether this is the star of a parameter list, which the tool takes for a product."""
    return node.type == "operator" and node.parent is not None and node.parent.type in {"param", "parameters"}


def _is_python(mutant: Mutant, source: str) -> bool:
    """Return whether the change results in Python, and can be made: the tool cannot replace `except module.Name`."""
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
            compile(mutant.of(source), "mutant", "exec", dont_inherit=True)
    except (AttributeError, SyntaxError):
        return False
    return True


@lru_cache(maxsize=1)
def _operators() -> list[str]:
    """Return the names of the operators that need no arguments: those that do would have to be told names."""
    return [name for name in operator_names() if not get_operator(name).arguments() and not LEFT_OUT.match(name)]
