"""The shape rules hold, and each one can fail."""

import textwrap
from pathlib import Path

import house_shape
import pytest

SRC = Path(__file__).resolve().parents[2] / "src"


@pytest.mark.parametrize("rule", house_shape.RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule: house_shape.Rule) -> None:
    broken = list(rule(SRC))
    assert not broken, f"{rule.__doc__}\n" + "\n".join(broken)


def written(src: Path, files: dict[str, str]) -> Path:
    """A source tree with these files."""
    for name, text in files.items():
        path = src / "trimtab" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return src


BREAKS = {
    "long_files": {"atoms/scroll.py": "x = 1\n" * 401},
    "long_functions": {"atoms/scroll.py": "def unroll():\n" + "    x = 1\n" * 60},
    "wide_classes": {
        "atoms/octopus.py": "class Octopus:\n" + "".join(f"    def arm_{n}(self): ...\n" for n in range(8))
    },
    "vague_names": {"loop/train/helpers.py": ""},
    "late_imports": {"loop/train/sly.py": "def fit():\n    import trimtab.adapters\n"},
    "cycles": {
        "atoms/egg.py": "from trimtab.atoms import hen\n",
        "atoms/hen.py": "def lay():\n    from trimtab.atoms.egg import Egg\n",
    },
}


@pytest.mark.parametrize("rule", house_shape.RULES, ids=lambda rule: rule.__name__)
def test_a_break_is_found(rule: house_shape.Rule, tmp_path: Path) -> None:
    assert list(rule(written(tmp_path, BREAKS[rule.__name__])))


ALLOWED = {
    "long_files": {"atoms/scroll.py": "x = 1\n" * 400},
    "long_functions": {
        "atoms/told.py": 'def tell():\n    """' + "A fact.\n" * 60 + '    """\n    return 1\n'
    },
    "wide_classes": {
        "atoms/octopus.py": "class Octopus:\n    def close(self): ...\n    def _tuck(self): ...\n"
        + "".join(f"    def arm_{n}(self): ...\n" for n in range(7))
    },
    "vague_names": {"loop/train/estimator.py": ""},
    "late_imports": {"adapters/late.py": "def open_it():\n    import redis\n"},
    "cycles": {
        "atoms/egg.py": "if TYPE_CHECKING:\n    from trimtab.atoms import hen\n",
        "atoms/hen.py": "import trimtab.atoms.egg\n",
    },
}


@pytest.mark.parametrize("rule", house_shape.RULES, ids=lambda rule: rule.__name__)
def test_what_is_allowed_is_let_be(rule: house_shape.Rule, tmp_path: Path) -> None:
    assert not list(rule(written(tmp_path, ALLOWED[rule.__name__])))
