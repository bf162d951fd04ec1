# SPDX-License-Identifier: GPL-2.0
"""How big things may become before their shape must be wrong."""

import ast
import re

from tree import Report, Rule, code_only

PORT_WARN, PORT_FAIL = 2000, 2400  # lines of C in a host port
# NT's has what Linux brings along: declarations of the system (nt.h), deferral to DPCs,
# cancelling, blocks of memory, and a fallback for each function of newer systems.
PORT_FAIL_OF = {"nt": 3700}
HOST_FUNCTIONS = 40  # in core/host.h
SWITCH_LINES = 400  # core/x86/switch.S
FILE_WARN, FILE_FAIL = 600, 800
FUNCTION_FAIL = 100
FUNCTION_P90 = 50
PATCH_WARN, PATCH_FAIL = 60, 100  # lines added to existing kernel files


def lines(tree, name):
    return tree.text(name).count("\n")


def over(report, what, count, warn, fail):
    if count > fail:
        report.problems.append(f"{what}: {count} lines, at most {fail}")
    elif count > warn:
        report.warnings.append(f"{what}: {count} lines, more than {warn}")


def host_ports(tree):
    report = Report()
    for port in sorted({f.split("/")[1] for f in tree.under("host/") if f.count("/") > 1}):
        count = sum(lines(tree, f) for f in tree.under(f"host/{port}/") if f.endswith((".c", ".h")))
        report.facts.append(f"host/{port}: {count} lines of C")
        over(report, f"host/{port}", count, PORT_WARN, PORT_FAIL_OF.get(port, PORT_FAIL))
    return report


def host_functions(tree):
    names = re.findall(r"^[a-z].*?\b(host_\w+)\(", code_only(tree.text("core/host.h")), re.M)
    facts = [f"core/host.h: {len(names)} functions"]
    if len(names) <= HOST_FUNCTIONS:
        return Report(facts=facts)
    return Report([f"core/host.h has {len(names)} functions, at most {HOST_FUNCTIONS}: "
                   "what can be made from the others, or stand in the core?"], facts=facts)


def switch_lines(tree):
    report = Report()
    for name in tree.files:
        if name.endswith("/switch.S") or name == "abi/passage.h":
            over(report, name, lines(tree, name), SWITCH_LINES, SWITCH_LINES)
            report.facts.append(f"{name}: {lines(tree, name)} lines")
    return report


def file_lines(tree):
    report = Report()
    for name in tree.sources():
        over(report, name, lines(tree, name), FILE_WARN, FILE_FAIL)
    return report


def c_functions(text):
    """(name, lines) of each function: '{' and '}' alone in column 0."""
    start, header = None, ""
    for number, line in enumerate(code_only(text).split("\n"), 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            yield header, number - start + 1
            start = None
        elif start is None and re.match(r"[A-Za-z_]", line):
            found = re.search(r"(\w+)\s*\(", line)
            header = found.group(1) if found else header


def shell_functions(text):
    start, name = None, ""
    for number, line in enumerate(text.split("\n"), 1):
        opened = re.match(r"(?:function )?(\w[\w-]*) *\(\) *[{(]$", line)
        if opened:
            start, name = number, opened.group(1)
        elif line in ("}", ")") and start:
            yield name, number - start + 1
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


def functions(tree, name):
    if name.endswith(".c"):
        return c_functions(tree.text(name))
    if name.endswith(".py") or tree.interpreter(name).startswith("python"):
        return python_functions(tree.text(name))
    if tree.interpreter(name) in ("sh", "bash") or name.endswith(".sh"):
        return shell_functions(tree.text(name))
    return []


def percentile(sorted_values, share):
    return sorted_values[int(share * (len(sorted_values) - 1))]


def function_lines(tree):
    report, sizes = Report(), []
    for name in tree.sources():
        for function, count in functions(tree, name):
            sizes.append(count)
            over(report, f"{name}: {function}()", count, FUNCTION_FAIL, FUNCTION_FAIL)
    if sizes:
        sizes.sort()
        p90 = percentile(sizes, 0.9)
        report.facts.append(f"{len(sizes)} functions: median {percentile(sizes, 0.5)}, "
                            f"nine in ten at most {p90}, longest {sizes[-1]} lines")
        if p90 > FUNCTION_P90:
            report.warnings.append(f"one in ten functions is longer than {p90} lines")
    return report


def patch_lines(tree):
    """Only what a patch adds to files that the kernel already has."""
    report = Report()
    versions = sorted({f.split("/")[2] for f in tree.under("guest/patches/") if f.count("/") > 2})
    for version in versions:
        count = sum(added(tree.text(f)) for f in tree.under(f"guest/patches/{version}/")
                    if f.endswith((".patch", ".diff")))
        report.facts.append(f"guest/patches/{version}: {count} lines added to existing files")
        over(report, f"guest/patches/{version}: added to existing files", count, PATCH_WARN, PATCH_FAIL)
    return report


def added(patch):
    return len(re.findall(r"^\+(?!\+\+ )", patch, re.M))


SPDX = "/* SPDX-License-Identifier: GPL-2.0 */\n"
HUNK = "--- a/Kbuild\n+++ b/Kbuild\n@@ -1 +1,999 @@\n"

RULES = [
    Rule(f"a host port has at most about {PORT_WARN} lines of C", host_ports, [
        ("host/planted/planted.c", SPDX + "int x;\n" * (PORT_FAIL + 1))]),
    Rule(f"core/host.h has at most {HOST_FUNCTIONS} functions", host_functions, [
        ("core/host.h", lambda old: old + "".join(f"void host_planted{i}(void);\n"
                                                  for i in range(HOST_FUNCTIONS + 1)))]),
    Rule(f"switch code has at most {SWITCH_LINES} lines", switch_lines, [
        ("core/x86/switch.S", SPDX + "\tnop\n" * (SWITCH_LINES + 1))]),
    Rule(f"a file has at most {FILE_FAIL} lines", file_lines, [
        ("core/planted.c", SPDX + "int x;\n" * (FILE_FAIL + 1)),
        ("lab/planted", "#!/bin/sh\n" + "true\n" * (FILE_FAIL + 1))]),
    Rule(f"a function has at most {FUNCTION_FAIL} lines", function_lines, [
        ("core/planted.c", SPDX + "int planted(void)\n{\n" + "\t;\n" * FUNCTION_FAIL + "}\n"),
        ("lab/planted", "#!/bin/sh\nplanted() {\n" + "\ttrue\n" * FUNCTION_FAIL + "}\n"),
        ("tests/planted.py", "def planted():\n" + "    pass\n" * FUNCTION_FAIL)]),
    Rule(f"at most {PATCH_FAIL} lines are added to existing kernel files", patch_lines, [
        ("guest/patches/9.9/0001-planted.patch", HUNK + "+x\n" * (PATCH_FAIL + 1))]),
]
