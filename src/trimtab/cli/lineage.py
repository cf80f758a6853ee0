"""`trimtab lineage`: what a thing came of, and what it led to."""

from typing import TYPE_CHECKING, Any

import click

from trimtab.cli.option import as_json, asking_lineage, example
from trimtab.cli.screen import coloured, minute, plain, print_json, screen

if TYPE_CHECKING:
    from rich.tree import Tree

    from trimtab.cli.account_source import Accounts
    from trimtab.views.lineage import Graph, Node
    from trimtab.views.lineage_tree import Branch


@click.command(
    epilog=example(
        "trimtab lineage flights/2013-02 --down",
        "trimtab lineage late_arrival@champion --up",
        "trimtab lineage 3fa9c1d2",
    )
)
@click.argument("name", metavar="ID")
@click.option("--up", is_flag=True, help="Only what it came of.")
@click.option("--down", is_flag=True, help="Only what it led to.")
@click.option("--all", "everything", is_flag=True, help="Fold nothing.")
@as_json
@asking_lineage
def lineage(accounts: "Accounts", name: str, up: bool, down: bool, everything: bool, as_json: bool) -> None:
    """Draw the tree of a record over Actions, artifacts, Checks and reasons.

    ID is an id or six digits of one, MODEL@VERSION, MODEL@champion, SOURCE for its newest snapshot, or
    SOURCE/SPAN for the snapshot that first held the span.
    """
    both = up == down
    account = accounts.lineage(name)
    if as_json:
        dropped = () if both else ("down",) if up else ("up",)
        print_json({part: value for part, value in account.items() if part not in dropped})
        return
    _draw(account, upward=up or both, downward=down or both, everything=everything)


def _draw(account: dict[str, Any], *, upward: bool, downward: bool, everything: bool) -> None:
    import msgspec

    from trimtab.views.lineage import Graph, links_in
    from trimtab.views.lineage_tree import WIDE, lineage_tree

    paper = screen()
    if "forgotten" in account:
        paper.print(f"[yellow]its parts are gone:[/] {plain(account['forgotten']['says'])}", soft_wrap=True)
    wide = None if everything else WIDE
    for way, wanted in (("up", upward), ("down", downward)):
        if not wanted:
            continue
        graph = msgspec.convert(account[way], Graph)
        paper.print("[bold]came of[/]" if way == "up" else "[bold]led to[/]")
        paper.print(_drawn(lineage_tree(links_in(graph), graph.root, upward=way == "up", wide=wide)))
        if way == "down":
            for node in decisions(graph):
                paper.print(f"  {minute(node.at)}  {_words(node)}", soft_wrap=True)


def decisions(graph: "Graph") -> "list[Node]":
    """The retrains, promotions, roll-backs, refusals, quarantines and forgettings in a graph, oldest first."""
    from trimtab.views.lineage_tree import TURNS

    found = [node for node in graph.nodes if node.sort == "action" and node.kind in TURNS]
    return sorted(found, key=lambda node: node.id)


def _drawn(branch: "Branch", tree: "Tree | None" = None) -> "Tree":
    from rich.tree import Tree

    words = _words(branch.node)
    while len(branch.branches) == 1 and not branch.folded and branch.branches[0].relation == "made":
        branch = branch.branches[0]
        words += f" [dim]→[/] {_words(branch.node)}"
    here = Tree(words, guide_style="dim") if tree is None else tree.add(words)
    for child in branch.branches:
        _drawn(child, here)
    for folded in branch.folded:
        here.add(f"[dim]… {folded}[/]")
    return here


def _words(node: "Node") -> str:
    short = f"[dim]{node.id[:16] if node.sort == 'action' else node.id[:12]}[/]"
    if node.sort == "artifact":
        return f"[cyan]{node.kind}[/] {short}"
    says = f"  {plain(node.says)}" if node.says else ""
    if node.sort == "check":
        return f"{coloured(node.label)} {node.kind} {short}{says}"
    return f"[bold]{node.kind}[/] {plain(node.label)} {short}{says}"
