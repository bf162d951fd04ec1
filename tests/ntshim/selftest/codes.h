/* SPDX-License-Identifier: GPL-2.0 */
/* What the shim's own test driver can be asked: one family of functions each. */
#ifndef NTSHIM_CODES_H
#define NTSHIM_CODES_H

/* CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900 + n, METHOD_BUFFERED, FILE_ANY_ACCESS) */
#define ASK(n) (0x22u << 16 | (0x900u + (n)) << 2)
/* The same with METHOD_OUT_DIRECT. */
#define DIRECT_ASK(n) (ASK(n) | 2)

#define ASK_POOL     0
#define ASK_PAGES    1
#define ASK_MDL	     2
#define ASK_EVENT    3
#define ASK_MUTEX    4
#define ASK_LOCK     5
#define ASK_DPC	     6
#define ASK_TIMER    7
#define ASK_EX_TIMER 8
#define ASK_THREAD   9
#define ASK_AFFINITY 10
#define ASK_IPI	     11
#define ASK_WORK     12
#define ASK_NAMES    13 /* in: a name; answers 1 if it's found */
#define ASK_FILE     14 /* counts per file */
#define ASK_TEXT     15
#define ASK_PEND     16 /* until it's cancelled or ASK_RELEASE comes */
#define ASK_RELEASE  17
#define ASK_MAP	     18 /* answers the machine address of 2 MiB mapped for the caller */
#define ASK_UNMAP    19
#define ASK_IMAGE    20 /* the driver's own sections */
#define ASK_DIRECT   21
#define ASK_CALLBACK 22 /* answers what came: NMIs, power, bug checks, shutdown */
#define ASK_FAMILIES 16 /* 0..15 need no more than being asked */

/* Mistakes, which the shim has to notice. */
#define ASK_WRONG_WAIT	 64 /* waits at DISPATCH_LEVEL */
#define ASK_WRONG_PAGED	 65 /* asks for paged pool there */
#define ASK_WRONG_LEVEL	 66 /* comes back at DISPATCH_LEVEL */
#define ASK_WRONG_FREE	 67 /* frees twice */
#define ASK_WRONG_BEHIND 68 /* writes behind what it has */
#define ASK_WRONG_LEAK	 69 /* keeps something */
#define ASK_WRONG_CLI	 70 /* comes back with interrupts off */
#define ASK_WRONG_THREAD 71 /* leaves a thread that runs for 10 s */
#define ASK_WRONG_LAST	 71

struct callbacks {
	unsigned int nmis, sleeps, backs, bugs, shutdowns, ends;
};

#endif
