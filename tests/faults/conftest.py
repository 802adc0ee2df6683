"""`make faults` ends with a table of what was tried and what became of it."""

VERDICTS = {"passed": "as promised", "failed": "BROKEN", "error": "BROKEN", "skipped": "not tried"}


def pytest_terminal_summary(terminalreporter, config):
    """Print a row for each fault, if nothing but faults was asked for."""
    if config.args != ["tests/faults"]:
        return
    terminalreporter.section("faults")
    for outcome, verdict in VERDICTS.items():
        for report in terminalreporter.getreports(outcome):
            if outcome != "passed" or report.when == "call":
                name = report.nodeid.removeprefix("tests/faults/test_").replace(".py::test_", ": ").replace("_", " ")
                reason = f" ({report.longrepr[2]})" if outcome == "skipped" else ""
                terminalreporter.line(f"{verdict:12} {report.duration:6.1f} s  {name}{reason}")
