"""Small changes of a module, each of which some test should notice."""

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

SWAPS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPPOSITES: dict[type, type] = {ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt}


class Change(NamedTuple):
    """A change: number of the node in the order of `ast.walk`, and how it is changed."""

    node: int
    kind: str


class Mutant(NamedTuple):
    """A changed module, with the line and a description of the change."""

    tree: ast.Module
    line: int
    text: str


def changes(source: str) -> list[Change]:
    """Find all changes of a module but those of annotations, decorators, messages and asserts."""
    tree = ast.parse(source)
    left_alone = {id(node) for part in _left_alone(tree) for node in ast.walk(part)}
    return [
        Change(index, kind)
        for index, node in enumerate(ast.walk(tree))
        if id(node) not in left_alone
        for kind in _kinds(node)
    ]


def mutant(source: str, change: Change) -> Mutant:
    """Apply a change to a module."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[change.node]
    before = _first_line(node)
    new = CHANGES[change.kind](node)
    if new is not node:
        ast.copy_location(new, node)
        tree = _Replacement(node, new).visit(tree)
    ast.fix_missing_locations(tree)
    return Mutant(tree, node.lineno, f"{before} → {_first_line(new)}")


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).partition("\n")[0]


def _left_alone(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if getattr(node, name, None) is not None:
                yield getattr(node, name)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from node.decorator_list
        elif isinstance(node, ast.Raise):
            yield from ast.iter_child_nodes(node)
        elif isinstance(node, ast.JoinedStr | ast.Assert):
            yield node


def _kinds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) | ast.BoolOp(op=op) if type(op) in SWAPS:
            yield "operator"
        case ast.Compare(ops=[op, *_]) if type(op) in SWAPS:
            yield "comparison"
            if type(op) in OPPOSITES:
                yield "opposite"
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield "no sign"
        case ast.Constant(value=bool()):
            yield "boolean"
        case ast.Constant(value=int() | float()):
            yield "number"
        case ast.If() | ast.IfExp():
            yield "always"
            yield "never"
        case ast.Break() | ast.Continue():
            yield "jump"
    match node:
        case ast.AugAssign() | ast.Raise() | ast.Expr(value=ast.Call()):
            yield "without"
        case ast.Assign(targets=[ast.Subscript(), *_]):
            yield "without"


class _Replacement(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def _setting(**values: Callable) -> Callable:
    """Change that sets attributes of a node to functions of it."""

    def change(node):
        for name, value in values.items():
            setattr(node, name, value(node))
        return node

    return change


CHANGES: dict[str, Callable] = {
    "operator": _setting(op=lambda node: SWAPS[type(node.op)]()),
    "comparison": _setting(ops=lambda node: [SWAPS[type(node.ops[0])](), *node.ops[1:]]),
    "opposite": _setting(ops=lambda node: [OPPOSITES[type(node.ops[0])](), *node.ops[1:]]),
    "no sign": lambda node: node.operand,
    "boolean": _setting(value=lambda node: not node.value),
    "number": _setting(value=lambda node: node.value + 1),
    "always": _setting(test=lambda node: ast.Constant(True)),
    "never": _setting(test=lambda node: ast.Constant(False)),
    "jump": lambda node: ast.Continue() if isinstance(node, ast.Break) else ast.Break(),
    "without": lambda node: ast.Pass(),
}
