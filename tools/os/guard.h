/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process between the daemon and a program that it starts, so that nothing of
 * that program outlives the daemon, however either of them ends. The daemon starts
 * guard_program with the arguments GUARD_OPTION, its own pid, the program's path,
 * the program's words.
 *
 * The guard has all that descends from the program. It ends when the last of them
 * has, as the program itself did: with its status or by its signal; 127: no such
 * program. SIGTERM, or the daemon's death, asks all of them to end by SIGTERM;
 * who hasn't after GUARD_SECONDS gets SIGKILL. If the guard itself is killed the
 * program is, too.
 */
#ifndef CO_TOOLS_OS_GUARD_H
#define CO_TOOLS_OS_GUARD_H

#define GUARD_OPTION  "--guard"
#define GUARD_SECONDS 5

const char *guard_program(void);

/* The guard's main(): argv is what stands behind GUARD_OPTION. Returns a status
 * for exit(), or doesn't return. */
int guard_main(int argc, char **argv);

#endif
