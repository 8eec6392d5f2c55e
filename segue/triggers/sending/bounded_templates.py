"""Templates in Jinja2's sandbox, with bounds on their steps, their values and their text.

A template that loops or grows without end would stop its trigger, or the process. Such templates are
mistakes: the bounds are no wall against an author who looks for a way around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Template, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MOST_CHARACTERS = 1_000_000
MOST_STEPS = 100_000
_MOST_BITS = 10_000
# No template can write a name with a space.
_STEPS = "steps so far"
_PADS = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs", "indent", "batch", "slice"})
# A width of seven digits, as in %9999999d or {:>9999999}.
_WIDE = re.compile(r"(%|\{[^{}]*:)[^%{}a-zA-Z ]*\d{7}")


class Unbounded(Exception):
    """A template takes too many steps, or makes too large a value."""


class BoundedTemplates(ImmutableSandboxedEnvironment):
    """The environment of all templates."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self) -> None:
        # Autoescape is for HTML; in JSON, a template writes {{ name | tojson }}.
        super().__init__(undefined=StrictUndefined, autoescape=False, finalize=_checked)
        self.policies["json.dumps_kwargs"] = {"sort_keys": True, "default": _no_json}
        del self.globals["lipsum"]
        for name, function in self.filters.items():
            self.filters[name] = _bounded(name, function)
        self.filters |= {"counted steps": _counted, "joined texts": _joined, "bounded text": _checked}

    def template(self, text: str) -> Template:
        """Compile a template.

        Raises:
            TemplateError: the text is no template.
        """
        tree = _Bounds().visit(self.parse(text))
        tree.set_environment(self)
        return self.from_string(tree)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate, unless the result would be too large."""
        if operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, str | bytes | list | tuple) and isinstance(other, int):
                    _check_size(len(one) * other)
        if operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() + right.bit_length()
            if (bits if operator == "*" else left.bit_length() * right) > _MOST_BITS:
                raise Unbounded("a number is too large")
        if operator == "%":
            _check_arguments("format", left, (right,))
        return _checked(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function or a macro as one step."""
        _step(context)
        # The sandbox wraps `str.format`.
        text = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        _check_arguments(getattr(function, "__name__", ""), text, (*args, *kwargs.values()))
        return _checked(super().call(context, function, *args, **kwargs))


def render(template: Template, words: Mapping[str, object]) -> str:
    """Fill a template in.

    Raises:
        Unbounded: it takes too many steps, or its text or a value is too large.
    """
    pieces: list[str] = []
    size = 0
    try:
        for piece in template.generate({**words, _STEPS: [0]}):
            size += len(piece)
            _check_size(size)
            pieces.append(piece)
    except MemoryError:
        raise Unbounded("a text or a list does not fit into memory") from None
    except RecursionError:
        raise Unbounded("a macro calls itself too often, or a list holds lists too deeply") from None
    return "".join(pieces)


class _Bounds(NodeTransformer):
    """Gives every loop, every ``~`` and every block that is set a filter that counts or measures."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja2 asks for this name
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "counted steps", [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        texts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(texts, "joined texts", [], [], None, None, lineno=node.lineno)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.filter = nodes.Filter(node.filter, "bounded text", [], [], None, None, lineno=node.lineno)
        return node


@pass_context
def _counted(context: Context, items: Iterable[object]) -> Iterator[object]:
    for item in items:
        _step(context)
        yield item


def _joined(texts: list[object]) -> str:
    return "".join(map(str, _checked(texts)))


def _step(context: Context) -> None:
    steps = context.parent[_STEPS]
    steps[0] += 1
    if steps[0] > MOST_STEPS:
        raise Unbounded(f"its loops and calls take more than {MOST_STEPS:,} steps")


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    takes_context = int(hasattr(function, "jinja_pass_arg"))

    @wraps(function)  # also keeps Jinja2's mark that a filter takes the context
    def bounded(*args: Any, **kwargs: Any) -> Any:
        given = [_measured(each) if isinstance(each, Iterator) else each for each in args]
        text, *others = given[takes_context:]
        _check_arguments(name, text, (*others, *kwargs.values()))
        return _checked(function(*given, **kwargs))

    return bounded


def _check_arguments(name: str, text: object, arguments: Iterable[object]) -> None:
    """Refuse a function whose result would be too large.

    Args:
        name: the function's or the filter's name.
        text: the text or the list that it works on.
        arguments: its other arguments.
    """
    others = [_checked(each) for each in arguments]
    _checked(text)
    if name in _PADS:
        for each in others:
            if isinstance(each, int):
                _check_size(each)
    if name == "format" and isinstance(text, str) and _WIDE.search(text):
        raise Unbounded("a width in a format is too large")
    match name, text, *others:
        case "replace", str() as whole, str(old), str(new), *_:
            _check_size(whole.count(old) * len(new))
        case ("join", list() | tuple() | str() as items, str(between), *_) | (
            "join",
            str(between),
            list() | tuple() | str() as items,
        ):
            _check_size(len(items) * len(between))


def _measured(items: Iterator[object]) -> Iterator[object]:
    """Yield the items of a filter such as ``map`` while all together are not too large."""
    size = 0
    for item in items:
        size += 1 + _size(item)
        _check_size(size)
        yield item


def _checked(value: Any) -> Any:
    _check_size(_size(value))
    return value


def _size(value: object) -> int:
    """Return how many characters and items a value holds; a little more than the most if there are more."""
    size, rest = 0, [value]
    while rest and size <= MOST_CHARACTERS:
        match rest.pop():
            case str() | bytes() as text:
                size += len(text)
            case list() | tuple() as items:
                size += len(items)
                rest += items[: MOST_CHARACTERS - size]
            case dict() as table:
                size += len(table)
                rest += (*table, *table.values())
    return size


def _check_size(size: int) -> None:
    if size > MOST_CHARACTERS:
        raise Unbounded(f"a text or a list is longer than {MOST_CHARACTERS:,}")


def _no_json(value: object) -> str:
    if isinstance(value, StrictUndefined):
        return str(value)  # raises the error that names it
    raise TypeError(f"{type(value).__name__} cannot be JSON")
