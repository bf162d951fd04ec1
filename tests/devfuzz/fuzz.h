/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that does anything: the input is a script of register accesses,
 * descriptors, ring entries and kicks, run against one device. Each target makes
 * the device and says how it is waited for.
 */
#ifndef CO_TESTS_FUZZ_H
#define CO_TESTS_FUZZ_H

#include "../devices/driver.h"
#include "dice.h"

/* Of the target: */
void target_make(struct rig *rig, uint8_t variant); /* 0 .. 3 */
/* The guest rang: let the device work until it has nothing to do. */
void target_work(struct rig *rig);
/* Something that the host does meanwhile, by one byte of the script. */
void target_host(struct rig *rig, uint8_t what);
/* After the machine is gone. */
void target_end(void);

/* A request that the device understands, for the mutator: so many bytes for it to
 * read, `more` in another buffer (to read, or `more_in`: to write), and `room` for
 * an answer. 0xf0 and more as a size is that many sectors, see script.c. */
#define HEAD_MAX 80
struct head {
	uint8_t data[HEAD_MAX];
	size_t n;
	uint8_t queue, more, room;
	bool more_in;
};
void target_head(struct head *h, struct dice *dice);

/* Lets a device's own thread work until it rests, or long enough; `rests` counts
 * how often it has. */
void fuzz_let_work(unsigned int (*rests)(void));
/* Time goes by, or as long as it takes. */
void fuzz_time_pass(uint64_t ms);
/* Zeroes in guest memory. */
void fuzz_clear(void *p, size_t size);
/* All of a script is over: looks whether something was left. */
void fuzz_end(void);
/* A device has just asked for guest memory: the guest may change it now. */
void fuzz_meanwhile(void);

#endif
