"""uv is told what pip is configured with, and nothing that the user set for uv is overridden."""

from uv_like_pip import environment, settings_of

LISTED = """\
:env:.cert='/etc/own.pem'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.index-url='https://mirror.example/simple'
global.timeout='60'
install.index-url='https://install.example/simple'
download.index-url='https://elsewhere.example/simple'
"""


def test_the_section_for_installing_wins_and_foreign_sections_are_left_out() -> None:
    assert settings_of(LISTED)["index-url"] == "https://install.example/simple"


def test_indexes_and_certificate_reach_uv() -> None:
    told = environment(settings_of(LISTED), {"HOME": "somewhere"}, locking=False)
    assert told["UV_DEFAULT_INDEX"] == "https://install.example/simple"
    assert told["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert told["SSL_CERT_FILE"] == "/etc/own.pem"
    assert told["HOME"] == "somewhere"


def test_a_lock_is_made_without_what_only_this_machine_has() -> None:
    told = environment(settings_of(LISTED), {}, locking=True)
    assert "UV_INDEX" not in told
    assert told["UV_DEFAULT_INDEX"] == "https://install.example/simple"


def test_what_is_set_for_uv_stays() -> None:
    told = environment(settings_of(LISTED), {"UV_DEFAULT_INDEX": "https://chosen.example"}, locking=False)
    assert told["UV_DEFAULT_INDEX"] == "https://chosen.example"


def test_without_configuration_nothing_is_said_about_indexes() -> None:
    assert environment(settings_of(""), {}, locking=False) == {"UV_INDEX_STRATEGY": "unsafe-best-match"}
