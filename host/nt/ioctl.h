/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Daemon <-> colinux.sys: how the requests of abi/driver.h travel on Windows, and
 * what stands there for Linux's mmap() and eventfds. Included by the driver, the
 * daemon and the tests; needs no header of Windows'.
 *
 * \\.\colinux, opened for reading and writing (and FILE_FLAG_OVERLAPPED: several
 * requests of one handle are in flight at a time). Opening needs a token in which
 * Administrators is enabled, else STATUS_ACCESS_DENIED. One handle is one control
 * handle: its VM goes when the last handle to it is closed.
 *
 * Two kinds of failure:
 *  - The request doesn't reach the core: an NTSTATUS (DeviceIoControl() is false).
 *    STATUS_INVALID_DEVICE_REQUEST: no such code. STATUS_INVALID_PARAMETER: a
 *    buffer of another size than stands here. STATUS_CANCELLED: only BELLS.
 *    STATUS_INSUFFICIENT_RESOURCES: no memory for the request itself.
 *  - It does: STATUS_SUCCESS, and `error` of the answer is 0 or a positive errno
 *    with Linux's number. So a structure comes back with a refusal, too.
 *
 * All are cancellable (CancelIoEx, CancelSynchronousIo, the thread's end) as said at
 * each; one that isn't said to wait doesn't.
 */
#ifndef CO_HOST_NT_IOCTL_H
#define CO_HOST_NT_IOCTL_H

#include "../../abi/driver.h"

#define CO_NT_DEVICE_PATH "\\\\.\\colinux"
#define CO_NT_SERVICE	  "colinux"

/* CTL_CODE(FILE_DEVICE_UNKNOWN, function, method, FILE_READ_DATA | FILE_WRITE_DATA) */
#define CO_NT_CODE(function, method) \
	(0x22u << 16 | 3u << 14 | (co_u32)(function) << 2 | (method))
#define CO_NT_BUFFERED	 0u
#define CO_NT_OUT_DIRECT 2u

/* ---- the core's requests --------------------------------------------------- */

/* Follows each answer. */
struct co_nt_result {
	co_u32 error; /* out: 0 or a positive errno */
	co_u32 pad;   /* out: 0 */
};
CO_ASSERT_SIZE(struct co_nt_result, 8);

/*
 * CO_REQ_* `nr`, all but VM_LOAD. In: its structure, exactly. Out: room for the
 * structure and a struct co_nt_result right behind it, exactly; both are filled
 * in whenever the status is STATUS_SUCCESS. The sizes of all structures are
 * multiples of 4, so use memcpy for the result.
 *
 * VCPU_RUN waits, by its nature: the calling thread is the processor. Cancelled, at
 * whatever moment, it comes back soon with STATUS_SUCCESS, error 0 and
 * CO_EXIT_INTR, as by a signal on Linux. From one thread per vCPU, with an
 * OVERLAPPED of its own: the call doesn't return ERROR_IO_PENDING.
 *
 * CO_REQ_DOORBELL: `handle` is the number of a bell, 0..CO_NT_BELLS_MAX - 1, see
 * below; -1: none. Several queues may ring the same one.
 *
 * The owner that the core compares is the calling process.
 */
#define CO_NT_REQUEST(nr) CO_NT_CODE(0x800 + (nr), CO_NT_BUFFERED)

/*
 * CO_REQ_VM_LOAD. No input buffer. "Output" buffer, which the system locks and the
 * driver reads in place and writes the header of: struct co_nt_load, then the bytes
 * of kernel, initrd and command line in any order. In the request these three are
 * offsets from the buffer's start (initrd 0: none), not addresses; what lies outside
 * is error EFAULT. Windows before Vista locks no more than 32 MiB at a time.
 */
struct co_nt_load {
	struct co_req_vm_load load; /* in and out */
	struct co_nt_result result; /* out */
};
CO_ASSERT_SIZE(struct co_nt_load, 64);
#define CO_NT_LOAD CO_NT_CODE(0x800 + CO_REQ_VM_LOAD, CO_NT_OUT_DIRECT)

/* ---- guest memory ----------------------------------------------------------- */

/*
 * Shows the VM's memory to the calling process, which must be the one that made it:
 * machine address `pa` at base + (pa - lowest), read and write, not executable.
 * At once all that the guest has, and from then on all that it has at the moment: a
 * block that it takes is there before the guest hears that it has it, one that it
 * gives is gone before anyone else gets it. What isn't the guest's is no mapping: an
 * access violation, and ERROR_NOACCESS from system calls.
 *
 * `base`: a multiple of 64 KiB at which highest - lowest bytes of the address space
 * are FREE (neither reserved nor committed: the driver can't map into a
 * reservation; find the hole by VirtualAlloc(MEM_RESERVE) and VirtualFree). What the
 * process puts into the hole later makes a TAKE of the guest fail, nothing else.
 * In and out: this structure. Errors: ENXIO (no VM), EPERM (another process), EINVAL
 * (base or range), EBUSY (it is mapped already), ENOMEM (not free, or no memory;
 * nothing is mapped then).
 */
struct co_nt_map {
	co_u64 base;	/* in */
	co_u64 lowest;	/* in: as VM_CREATE told */
	co_u64 highest; /* in */
	co_u64 mapped;	/* out: bytes that are there now */
	struct co_nt_result result; /* out */
};
CO_ASSERT_SIZE(struct co_nt_map, 40);
#define CO_NT_MAP CO_NT_CODE(0x880, CO_NT_BUFFERED)

/*
 * Takes all of it out again, by the same process, which says so that nothing is under
 * way in there any more, as a disk's read: what the driver keeps of the memory, another
 * VM may get. Else it is taken out when the process ends or the handle is closed
 * (IRP_MJ_CLEANUP), whatever happens first, and with the VM all of it goes to Windows.
 * In and out: struct co_nt_map, `base` as at MAP. Errors: EINVAL (not mapped there),
 * EPERM.
 */
#define CO_NT_UNMAP CO_NT_CODE(0x881, CO_NT_BUFFERED)

/* ---- doorbells ------------------------------------------------------------------ */

#define CO_NT_BELLS_MAX 256 /* of one handle; CO_QUEUES_MAX, so that each may have one */

/*
 * Waits until one of the bells in `wanted` (a bit each) has rung, and takes the
 * rings: out, `rung` holds those of the wanted ones that rang since they were taken
 * last, at least one bit. A ring while nobody waits stays, so nothing is lost
 * between two waits; any number of rings of one bell is one.
 *
 * Always pended or completed at once, never blocks the caller: it's for overlapped
 * use. Several may wait on one handle, of disjoint bells or not; a ring goes to the
 * one that came first of those who want it. Cancelled: STATUS_CANCELLED, and takes
 * nothing. Closing the handle cancels all. A thread's end cancels those it started.
 * In and out: this structure; wanted == 0 is STATUS_INVALID_PARAMETER. Needs no VM.
 */
struct co_nt_bells {
	co_u64 wanted[CO_NT_BELLS_MAX / 64]; /* in */
	co_u64 rung[CO_NT_BELLS_MAX / 64];   /* out */
};
CO_ASSERT_SIZE(struct co_nt_bells, 64);
#define CO_NT_BELLS CO_NT_CODE(0x882, CO_NT_BUFFERED)

/* ---- what this Windows is ---------------------------------------------------------- */

/* Why CO_BLOCK_LOCKDOWN is among the blockers: for `colinux doctor`. */
#define CO_NT_HVCI	 0x1 /* memory integrity is on */
#define CO_NT_VBS	 0x2 /* a secure kernel runs (virtualization-based security) */
/* Neither keeps a guest from running. */
#define CO_NT_HYPERVISOR 0x4 /* Windows itself runs on one */
#define CO_NT_KVA_SHADOW 0x8
#define CO_NT_TESTSIGN	 0x10
/* What the system has for the driver; without it the fallback in brackets. */
#define CO_NT_HIGH_TIMERS 0x100 /* high-resolution timers [a tick, set to 1 ms] */
#define CO_NT_CHUNKS	  0x200 /* contiguous chunks of pages [contiguous memory] */
#define CO_NT_NX_POOL	  0x400 /* [executable pool] */
#define CO_NT_SEND_NMI	  0x800 /* [a guest that keeps a processor with interrupts off
				 * is ended only when it leaves by itself] */
#define CO_NT_PRECISE	  0x1000 /* wall clock finer than a tick [extrapolated] */
#define CO_NT_GROUPS	  0x2000 /* more than 64 processors [the first 64] */

/* In: nothing (size 0). Out: this structure. */
struct co_nt_facts {
	co_u32 major, minor, build; /* of Windows */
	co_u32 flags;		    /* CO_NT_* */
	co_u64 pool_bytes; /* that VMs gave back and the driver holds for them or the next */
	co_u64 reserved[3]; /* 0 */
};
CO_ASSERT_SIZE(struct co_nt_facts, 48);
#define CO_NT_FACTS CO_NT_CODE(0x883, CO_NT_BUFFERED)

#endif
