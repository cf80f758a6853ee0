"""What every executor must do: subclass the class where there is a fixture `make` that gives one."""

from collections.abc import Callable

import pytest

from trimtab.atoms.error import ExecutorDied, ModelRefused, UsageError
from trimtab.ports.executor import Executor

MakeExecutor = Callable[[], Executor]
FUNCTIONS = "trimtab.testing.example_function"


class ExecutorCalls:
    """A call gives a result or raises, and says how it gets on."""

    def test_json_goes_in_and_comes_back(self, make: MakeExecutor) -> None:
        arguments = {
            "text": "späť",
            "number": 1.5,
            "nothing": None,
            "list": [1, {"a": True}],
            "long": "x" * 200_000,
        }
        assert make().call(f"{FUNCTIONS}:give_back", arguments) == arguments

    def test_each_line_of_progress_is_passed_on(self, make: MakeExecutor) -> None:
        lines: list[str] = []
        assert make().call(f"{FUNCTIONS}:count", {"to": 4}, lines.append) == 6
        assert lines == ["at 0", "at 1", "at 2", "at 3"]

    def test_an_error_for_the_user_stays_what_it_is(self, make: MakeExecutor) -> None:
        with pytest.raises(ModelRefused, match=r"^no such tree$"):
            make().call(f"{FUNCTIONS}:refuse", {"message": "no such tree"})
        with pytest.raises(ModelRefused, match=r"^too much$"):
            make().call(f"{FUNCTIONS}:refuse_privately", {"message": "too much"})

    def test_any_other_error_is_a_death_with_its_last_words(self, make: MakeExecutor) -> None:
        with pytest.raises(ExecutorDied, match="fell over the cat"):
            make().call(f"{FUNCTIONS}:stumble", {"message": "fell over the cat"})

    @pytest.mark.parametrize("function", ["nowhere.to.be:found", f"{FUNCTIONS}:found", "nocolon"])
    def test_what_is_no_function_is_refused(self, make: MakeExecutor, function: str) -> None:
        with pytest.raises(UsageError, match=function.partition(":")[0]):
            make().call(function, {})

    def test_nan_is_no_json(self, make: MakeExecutor) -> None:
        with pytest.raises(ValueError):
            make().call(f"{FUNCTIONS}:give_back", {"number": float("nan")})
        with pytest.raises(ExecutorDied):
            make().call(f"{FUNCTIONS}:give_nan", {})
