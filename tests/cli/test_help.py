from __future__ import annotations

from lictor.cli.command import Command
from lictor.cli.flags import duration, switch, text
from lictor.cli.help import command_help, group_help


class Wash(Command):
    """Washes things.

    $ lictor car wash -hot red
    """

    words = "car wash"
    synopsis = "Wash things"
    arguments = "THING"
    hot = switch("With hot water.", True)
    time = duration("How long.", 90.0)
    soap = text("Which soap, and why it is that one and not another of all those that there are, in many words.")


class Dry(Command):
    words = "car dry fast"
    synopsis = "Dry them"


def test_a_command() -> None:
    assert command_help(Wash) == (
        "Usage: lictor car wash [options] THING\n"
        "\n"
        "  Washes things.\n"
        "\n"
        "  $ lictor car wash -hot red\n"
        "\n"
        "Command Options\n"
        "\n"
        "  -hot\n"
        "     With hot water. Default: true.\n"
        "\n"
        "  -soap=<string>\n"
        "     Which soap, and why it is that one and not another of all those that\n"
        "     there are, in many words.\n"
        "\n"
        "  -time=<duration>\n"
        "     How long. Default: 90s."
    )


def test_a_group() -> None:
    text = group_help("car", "Look after cars.", [Wash, Dry], {"car dry": "Ways to dry"})
    assert text.splitlines()[:7] == [
        "Usage: lictor car <subcommand> [options] [args]",
        "",
        "  Look after cars.",
        "",
        "Subcommands:",
        "",
        "    dry     Ways to dry",
    ]
    assert "    wash    Wash things" in text
