#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What a driver's file must be: pecheck.py FILE IMPORTS.LIST NAMES.LIST

One line "ok NAME" or "not ok NAME: why" for each check; status 1 if one failed.
Places of fields: Microsoft's "PE Format", PE32+.
"""
import re
import struct
import sys

path, imports_path, names_path = sys.argv[1:]
data = open(path, 'rb').read()
bad = 0


def check(name, wrong):
    """wrong: what is, or nothing."""
    global bad
    bad += bool(wrong)
    print(f'not ok {name}: {wrong}' if wrong else f'ok {name}')


def get(form, at):
    return struct.unpack_from('<' + form, data, at)[0]


pe = get('I', 0x3c)
optional = pe + 24
sections = []
for i in range(get('H', pe + 6)):
    at = optional + get('H', pe + 20) + 40 * i
    name = data[at:at + 8].rstrip(b'\0').decode()
    size, rva, raw_size, raw = struct.unpack_from('<4I', data, at + 8)
    sections.append((name, rva, size, raw, raw_size, get('I', at + 36)))


def offset(rva):
    for name, start, size, raw, raw_size, flags in sections:
        if start <= rva < start + raw_size:
            return raw + rva - start
    raise ValueError(f'address 0x{rva:x} is in no section')


def text(rva):
    at = offset(rva)
    return data[at:data.index(b'\0', at)].decode()


def directory(n):
    return struct.unpack_from('<2I', data, optional + 112 + 8 * n)


def checksum():
    """The sum of all 16-bit words but its own two, with carries, and the length."""
    padded = data[:optional + 64] + b'\0' * 4 + data[optional + 68:]
    padded += b'\0' * (len(padded) % 2)
    total = sum(struct.unpack(f'<{len(padded) // 2}H', padded))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total + len(data)


def imports():
    """Names, each with its library."""
    at, found = directory(1)[0], {}
    at = offset(at)
    while get('I', at + 12):
        library = text(get('I', at + 12)).lower()
        names = offset(get('I', at))
        while get('Q', names):
            entry = get('Q', names)
            if entry >> 63:
                found[f'number {entry & 0xffff}'] = library
            else:
                found[text(entry + 2)] = library
            names += 8
        at += 20
    return found


def listed(path, pattern=r'([A-Za-z_]\w*)'):
    return {m[1] for line in open(path) if (m := re.match(pattern, line))}


SCN_EXECUTE, SCN_WRITE, SCN_DISCARDABLE = 0x20000000, 0x80000000, 0x02000000

check('machine is x86-64', '' if get('H', pe + 4) == 0x8664 else hex(get('H', pe + 4)))
check('PE32+', '' if get('H', optional) == 0x20b else hex(get('H', optional)))
check('subsystem is native', '' if get('H', optional + 68) == 1 else get('H', optional + 68))
version = get('H', optional + 48), get('H', optional + 50)
check('subsystem version is 5.2', '' if version == (5, 2) else version)
check('time stamp is 0', get('I', pe + 8))
check('checksum', '' if checksum() == get('I', optional + 64) else
      f'{get("I", optional + 64):#x}, should be {checksum():#x}')
flags = get('H', optional + 70)
check('dynamic base', '' if flags & 0x40 and directory(5)[1] else hex(flags))
check('NX compatible', '' if flags & 0x100 else hex(flags))
check('it is no DLL', hex(get('H', pe + 22)) if get('H', pe + 22) & 0x2000 else '')
check('it exports nothing', directory(0)[1])
check('sections are aligned to pages', '' if get('I', optional + 32) == 4096 else
      get('I', optional + 32))
check('no section is for writing and executing',
      [s[0] for s in sections if s[5] & SCN_EXECUTE and s[5] & SCN_WRITE])
check('no section is pageable', [s[0] for s in sections if s[0].startswith('PAGE')])
check('only relocations are discarded',
      [s[0] for s in sections if s[5] & SCN_DISCARDABLE and s[0] != '.reloc'])
check('the passage has a section of its own, of one page',
      '' if [s[2] for s in sections if s[0] == '.passage'] == [4096] else
      [s[:3] for s in sections])

rva, size = directory(3)
code = [(s[1], s[1] + s[2]) for s in sections if s[5] & SCN_EXECUTE]
wrong = []
for at in range(rva, rva + size, 12):
    begin, end, info = struct.unpack_from('<3I', data, offset(at))
    if not any(start <= begin < end <= stop for start, stop in code):
        wrong.append(hex(begin))
check('unwind tables are there', '' if size >= 12 * 100 else size)
check('unwind tables lie in the code', wrong)

# KUSER_SHARED_DATA: a fixed address, which only Windows has.
wrong = []
for name, start, size, raw, raw_size, flags in sections:
    if flags & SCN_EXECUTE:
        continue
    body = data[raw:raw + raw_size]
    wrong += [name for i in range(0, len(body) - 7, 8)
              if struct.unpack_from('<Q', body, i)[0] >> 16 == 0xfffff7800000]
check("no address of the shared user page", wrong)

used, wanted = imports(), listed(imports_path)
check('imports are those of the list',
      ', '.join([f'{n} is not listed' for n in sorted(set(used) - wanted)] +
                [f'{n} is not imported' for n in sorted(wanted - set(used))]))
check('Server 2003 x64 has all of them', sorted(set(used) - listed(names_path)))
check('from kernel and HAL only',
      sorted(set(used.values()) - {'ntoskrnl.exe', 'hal.dll'}))
check('HAL has one', '' if [n for n, l in used.items() if l == 'hal.dll'] ==
      ['KeQueryPerformanceCounter'] else used)
sys.exit(bad > 0)
