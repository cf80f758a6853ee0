"""`trimtab lineage`: what a thing came of, and what it led to."""

from typing import TYPE_CHECKING

import click

from trimtab.cli.option import as_json, common, example, reading_lineage
from trimtab.cli.screen import coloured, minute, plain, print_json, screen

if TYPE_CHECKING:
    from rich.tree import Tree

    from trimtab.views.lineage import Links, Node
    from trimtab.views.lineage_tree import Branch
    from trimtab.views.memory import Memory


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
@common
@as_json
@reading_lineage
def lineage(memory: "Memory", name: str, up: bool, down: bool, everything: bool, as_json: bool) -> None:
    """Draw the tree of a record over Actions, artifacts, Checks and reasons.

    ID is an id or six digits of one, MODEL@VERSION, MODEL@champion, SOURCE for its newest snapshot, or
    SOURCE/SPAN for the snapshot that first held the span.
    """
    from trimtab.views.account import lineage_account
    from trimtab.views.lineage_tree import WIDE, lineage_tree
    from trimtab.views.name import resolve

    both = up == down
    if as_json:
        account = lineage_account(memory, name)
        dropped = () if both else ("down",) if up else ("up",)
        print_json({part: value for part, value in account.items() if part not in dropped})
        return
    root = resolve(memory, name)
    paper = screen()
    if decision := memory.forgetting.of(root):
        paper.print(f"[yellow]its parts are gone:[/] {plain(decision.says)}", soft_wrap=True)
    wide = None if everything else WIDE
    for upward in [way for way, wanted in ((True, up or both), (False, down or both)) if wanted]:
        paper.print("[bold]came of[/]" if upward else "[bold]led to[/]")
        paper.print(_drawn(lineage_tree(memory.links, root, upward=upward, wide=wide)))
        if not upward:
            for node in decisions(memory.links, root):
                paper.print(f"  {minute(node.at)}  {_words(node)}", soft_wrap=True)


def decisions(links: "Links", root: str) -> "list[Node]":
    """The retrains, promotions, roll-backs, refusals, quarantines and forgettings that `root` led to, oldest first."""
    from trimtab.views.lineage_tree import TURNS

    found = [
        node for node in links.graph(root, upward=False).nodes if node.sort == "action" and node.kind in TURNS
    ]
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
