# SPDX-License-Identifier: GPL-2.0
"""The layout of the ABI as one compiler sees it, without running its output.

Each fact is an inline `.ascii` directive with an immediate operand, and the
compiler's assembly output is read: that works for a compiler whose programs
don't run here, too.
"""

import re
import subprocess

MARK = "->"


class CompilerFailed(Exception):
    pass


def fact(words, value):
    """In signed 32-bit halves: more is no immediate operand for every compiler."""
    whole = f"(unsigned long long)({value})"
    return (f'\tasm volatile("\\n.ascii \\"{MARK}{words} %c0 %c1\\"" : : '
            f'"i"((int)({whole} >> 32)), "i"((int)({whole})));\n')


def struct_facts(name, members):
    yield fact(f"struct {name} size", f"sizeof(struct {name})")
    for member in members:
        yield fact(f"struct {name}.{member} offset",
                   f"__builtin_offsetof(struct {name}, {member})")
        yield fact(f"struct {name}.{member} size", f"sizeof(((struct {name} *)0)->{member})")


def source(headers):
    """A C file that states everything that the headers hold."""
    lines = []
    for header in headers:
        if not header.offsets:
            lines.append(f'#include "{header.path}"\n')
    lines.append("void layout(void);\nvoid layout(void)\n{\n")
    for header in headers:
        for name, members in header.structs:
            lines += struct_facts(name, members)
        for name in header.constants:
            lines.append(fact(f"constant {name}", name))
        for name in header.strings:
            lines.append(f'\tasm volatile("\\n.ascii \\"{MARK}string {name} " {name} "\\"");\n')
        for symbol, struct, member in header.offsets:
            lines.append(fact(f"offset {symbol}", f"__builtin_offsetof(struct {struct}, {member})"))
    lines.append("}\n")
    return "".join(lines)


def normal(line):
    """The two halves as one unsigned number."""
    if line.startswith("string "):
        return line
    words, high, low = line.rsplit(" ", 2)
    value = (int(high) % (1 << 32)) << 32 | int(low) % (1 << 32)
    return f"{words} {value:#x}" if words.startswith("constant") else f"{words} {value}"


def seen_by(compiler, headers):
    command = [compiler, "-std=gnu11", "-O1", "-Wall", "-Werror", "-x", "c", "-S", "-o", "-", "-"]
    run = subprocess.run(command, input=source(headers), capture_output=True, text=True)
    if run.returncode:
        raise CompilerFailed(f"{compiler}: {run.stderr.strip()}")
    return [normal(m) for m in re.findall(re.escape(MARK) + r'(.*?)"', run.stdout)]
