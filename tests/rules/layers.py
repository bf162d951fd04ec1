# SPDX-License-Identifier: GPL-2.0
"""Who may know whom: the rules that keep the four worlds apart."""

import os
import re

from tree import Rule, code_only, matches

C_FILES = (".c", ".h", ".S")
SPDX = "/* SPDX-License-Identifier: GPL-2.0 */\n"


def c_under(tree, *folders):
    return [f for f in tree.under(*folders) if f.endswith(C_FILES)]


def includes(tree, name):
    """(line, text, is it <>) of each #include."""
    for number, line in enumerate(tree.text(name).split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(2), match.group(1) == "<"


def core_includes(tree):
    found = []
    for name in c_under(tree, "core/"):
        for line, what, system in includes(tree, name):
            path = os.path.normpath(os.path.join(os.path.dirname(name), what))
            if system or not path.startswith(("core/", "abi/")) and os.path.dirname(what):
                found.append(f"{name}:{line}: core includes only core/ and abi/, not {what}")
            elif not system and not os.path.dirname(what) and not generated_or_present(tree, path):
                found.append(f"{name}:{line}: there is no {path}")
    return found


def generated_or_present(tree, path):
    """offsets.h is made at build time from core/x86/offsets.c."""
    return path in tree.files or path.endswith("offsets.h")


OS_MACRO = (r"\b(__linux__|__linux|linux|__KERNEL__|MODULE|_WIN32|_WIN64|WIN32|__MINGW\w+|_MSC_VER"
            r"|__CYGWIN__|__unix__|__APPLE__|CONFIG_\w+|_NTDDK_|NTDDI_VERSION)\b")


def core_os_macros(tree):
    return matches(tree, c_under(tree, "core/"), r"^\s*#\s*(if|ifdef|ifndef|elif)\b.*" + OS_MACRO,
                   "the core asks for an operating system: '{}'")


ABI_WORDS = {
    "long": r"\blong\b",
    "size_t": r"\b(s?size_t|u?intptr_t|ptrdiff_t|time_t|off_t|wchar_t)\b",
    "a pointer": r"\b(co_[us]\d+|void|char|struct \w+)\s*\*+\s*\w+\s*(\[[^\]]*\])*;",
    "a bit-field": r"\b\w+\s+\w+\s*:\s*\d+\s*;",
    "an enum": r"\benum\b",
}


def abi_words(tree):
    found = []
    for what, pattern in ABI_WORDS.items():
        for hit in matches(tree, c_under(tree, "abi/"), pattern,
                           f"{what} has no place in the ABI: '{{}}'"):
            if not (what == "long" and "types.h" in hit and is_typedef(tree, hit)):
                found.append(hit)
    return found


def is_typedef(tree, hit):
    """The 64-bit types themselves are made of `long long`, once."""
    name, line = hit.split(":")[:2]
    return re.match(r"typedef (un)?signed long long co_[us]64;",
                    tree.text(name).split("\n")[int(line) - 1])


def abi_asserts(tree):
    found = []
    for name in c_under(tree, "abi/"):
        text = code_only(tree.text(name))
        for struct in re.findall(r"\bstruct (\w+)\s*\{", text):
            if not re.search(r"\bCO_ASSERT_SIZE\(struct %s," % struct, text):
                found.append(f"{name}: struct {struct} has no CO_ASSERT_SIZE")
    return found


NT_TYPES = (r"\b(NTSTATUS|PVOID|PIRP|IRP|KIRQL|UNICODE_STRING|PUNICODE_STRING|HANDLE|DWORD|ULONG_PTR"
            r"|PDRIVER_OBJECT|DRIVER_OBJECT|PDEVICE_OBJECT|LARGE_INTEGER|PMDL|KSPIN_LOCK|KDPC|NTAPI)\b")
NT_HEADERS = r'^\s*#\s*include\s*<(ntddk|wdm|ntifs|windows|winsock2|winternl|ddk/\w+)\.h>'
NT_PLACES = ("host/nt/", "tools/os/nt", "packaging/nt/", "tests/nt", "tests/wine")


def nt_types(tree):
    names = [f for f in tree.files if f.endswith(C_FILES) and not f.startswith(NT_PLACES)]
    return (matches(tree, names, NT_TYPES, "NT type outside host/nt and tools/os/nt*: '{}'")
            + matches(tree, names, NT_HEADERS, "NT header outside its places: '{}'", clean=str))


LINUX_TYPES = (r"\b(struct (task_struct|file_operations|page|mm_struct|vm_area_struct|inode|miscdevice"
               r"|work_struct|pt_regs)|gfp_t|spinlock_t|atomic_t|pgd_t|pte_t|phys_addr_t|GFP_KERNEL"
               r"|MODULE_LICENSE|EXPORT_SYMBOL\w*|printk|pr_(info|err|warn)|copy_(from|to)_user"
               r"|__user|__init|__exit)\b")
# Kernel-internal ones only: user space has <linux/falloc.h>, <asm/bootparam.h>
# and their like, too.
LINUX_HEADERS = (r"^\s*#\s*include\s*<(linux/(module|init|slab|mm\w*|sched(/\w+)?|printk|uaccess"
                 r"|spinlock|mutex|hrtimer|ktime|interrupt|smp|percpu|miscdevice|debugfs|kthread"
                 r"|gfp|highmem|vmalloc|wait|delay|cpu|list|compiler)"
                 r"|asm/(desc|io|page|pgtable|processor|tlbflush|cpufeature|fpu/\w+|special_insns"
                 r"|apic|irq\w*|smp|cacheflush|set_memory))\.h>")


def linux_module_folders(tree):
    """Lab modules of the tests: a folder that kbuild works in."""
    found = []
    for name in tree.under("tests/", "lab/", "bench/"):
        if os.path.basename(name) in ("Kbuild", "Makefile") and "obj-m" in tree.text(name):
            found.append(os.path.dirname(name) + "/")
    return tuple(found)


def linux_types(tree):
    places = ("host/linux/", "guest/") + linux_module_folders(tree)
    names = [f for f in tree.files if f.endswith(C_FILES) and not f.startswith(places)]
    say = "outside host/linux, guest and the tests' modules: '{}'"
    return (matches(tree, names, LINUX_TYPES, "Linux kernel type " + say)
            + matches(tree, names, LINUX_HEADERS, "Linux kernel header " + say, clean=str))


VERSION_PLACES = ("host/linux/compat.h", "guest/overlay/arch/x86/colinux/compat.h",
                  "guest/overlay/arch/x86/colinux/compat.c")


def version_tests(tree):
    names = [f for f in tree.files if f.endswith(C_FILES) and f not in VERSION_PLACES]
    return matches(tree, names, r"\b(LINUX_VERSION_CODE|KERNEL_VERSION|CO_BEFORE|RHEL_RELEASE_CODE)\b",
                   "kernel versions are told apart in the two compat.h (and compat.c) only: '{}'")


def overlay_files(tree):
    """A copy of a kernel file, edited in the overlay, would escape the count of
    added lines; a new file carries the port's name."""
    return [f"{name}: overlay files are new and have 'colinux' in their path; a change of an "
            "existing file is a patch" for name in tree.under("guest/overlay/") if "colinux" not in name]


def c(text):
    return SPDX + text


RULES = [
    Rule("core includes only core and abi", core_includes, [
        ("core/planted.c", c("#include <linux/slab.h>\n")),
        ("core/planted.c", c("#include <stdint.h>\n")),
        ("core/planted.c", c('#include "../host/linux/port.h"\n')),
        ("core/x86/planted.c", c('#include "nowhere.h"\n'))]),
    Rule("core has no #ifdef of an operating system", core_os_macros, [
        ("core/planted.c", c("#ifdef _WIN32\n#endif\n")),
        ("core/x86/planted.S", c("#if defined(__linux__)\n#endif\n")),
        ("core/planted.h", c("#ifndef CONFIG_SMP\n#endif\n"))]),
    Rule("abi has fixed-width members only", abi_words, [
        ("abi/planted.h", c("struct p {\n\tunsigned long a;\n};\n")),
        ("abi/planted.h", c("typedef long long p;\n")),
        ("abi/planted.h", c("struct p {\n\tsize_t a;\n};\n")),
        ("abi/planted.h", c("struct p {\n\tvoid *a;\n};\n")),
        ("abi/planted.h", c("struct p {\n\tco_u32 a : 3;\n};\n")),
        ("abi/planted.h", c("enum p { A };\n"))]),
    Rule("each struct of abi asserts its size", abi_asserts, [
        ("abi/planted.h", c("struct p {\n\tco_u32 a;\n};\n"))]),
    Rule("NT types only in host/nt and tools/os/nt*", nt_types, [
        ("core/planted.c", c("NTSTATUS planted;\n")),
        ("tools/cli/planted.c", c("#include <windows.h>\n"))]),
    Rule("Linux kernel types only in host/linux and guest", linux_types, [
        ("core/planted.c", c("struct task_struct *planted;\n")),
        ("tools/daemon/planted.c", c("#include <linux/module.h>\n")),
        ("host/sim/planted.c", c("gfp_t planted;\n")),
        ("tests/planted/planted.c", c("#include <asm/desc.h>\n"))]),
    Rule("kernel version tests only in compat.h of host/linux and of the overlay", version_tests, [
        ("host/linux/planted.c", c("#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)\n#endif\n")),
        ("guest/overlay/arch/x86/colinux/planted.c", c("#if LINUX_VERSION_CODE\n#endif\n")),
        ("guest/overlay/arch/x86/colinux/planted.c", c("#if CO_BEFORE(6, 12)\n#endif\n"))]),
    Rule("the overlay holds new files only", overlay_files, [
        ("guest/overlay/arch/x86/kernel/irq.c", c("int planted;\n"))]),
]
