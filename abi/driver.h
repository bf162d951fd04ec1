/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Daemon and tools <-> driver.
 *
 * One open file of the driver's device is a control handle. VM_CREATE makes a
 * VM and ties it to that file: it lives until the file, its last mapping and its
 * last request in flight are gone. All requests but VERSION and CHECK need the
 * VM, and come from the process that made it (CO_EPERM otherwise).
 *
 * A request is a number and one fixed-size structure, copied in and out whole.
 * Linux: ioctl _IOWR(CO_IOC_MAGIC, number, structure). NT: METHOD_BUFFERED,
 * function 0x800 + number. Answers are 0 or an errno (Linux numbers). `pad` and
 * `reserved` must be 0 on the way in.
 *
 * Guest memory is mapped through the same file: offset = machine address, any
 * range between `lowest` and `highest` of VM_CREATE. What isn't the guest's at
 * the moment faults (SIGBUS); what it gives back leaves the mapping.
 */
#ifndef CO_ABI_DRIVER_H
#define CO_ABI_DRIVER_H

#include "image.h"
#include "guest.h"

#define CO_DRIVER_ABI_VERSION 2
#define CO_IOC_MAGIC	      0xc6
#define CO_DEVICE_PATH	      "/dev/colinux"

#define CO_MEMORY_MIN 0x2000000 /* the smallest VM, 32 MiB */

#define CO_REQ_VERSION	 1
#define CO_REQ_CHECK	 2
#define CO_REQ_VM_CREATE 3
#define CO_REQ_VM_CHUNK	 4
#define CO_REQ_VM_LOAD	 5
#define CO_REQ_VCPU_RUN	 6
#define CO_REQ_VM_RAISE	 7
#define CO_REQ_DOORBELL	 8
#define CO_REQ_VM_INFO	 9
#define CO_REQ_VM_STOP	 10
#define CO_REQ_VM_MEMORY 11

/* Anyone who can open the device. */
struct co_req_version {
	co_u32 driver_abi; /* out: CO_DRIVER_ABI_VERSION */
	co_u32 guest_abi;  /* out: CO_GUEST_ABI_VERSION */
	co_u8 build[56];   /* out: version text, NUL-terminated */
};
CO_ASSERT_SIZE(struct co_req_version, 64);

/* What keeps a guest from running here: bits of `blockers`, 0 = nothing. */
#define CO_BLOCK_VENDOR	   0x1 /* not an x86-64 CPU with the needed features */
#define CO_BLOCK_TSC	   0x2 /* the TSC is unstable or its frequency unknown */
#define CO_BLOCK_FRED	   0x4 /* CR4.FRED is on: `int N` can't replay */
#define CO_BLOCK_ENCRYPTED 0x8 /* SEV, SME or TDX is active */
#define CO_BLOCK_XENPV	   0x10 /* host runs as a Xen PV guest */
#define CO_BLOCK_ASYNCPF   0x20 /* KVM asynchronous page faults are on */
#define CO_BLOCK_LOCKDOWN  0x40 /* the host kernel is locked down */
#define CO_BLOCK_SELECTORS 0x80 /* code, stack or task selector not as expected */
#define CO_BLOCK_XSTATE	   0x100 /* XSAVE area larger than the core keeps */
#define CO_BLOCK_COUNT	   9

struct co_req_check {
	co_u64 blockers; /* out: CO_BLOCK_* */
	co_u64 cr0;	 /* out: of the asking CPU, for the report */
	co_u64 cr4;
	co_u64 xcr0;
	co_u64 efer;
	co_u32 tsc_khz;
	co_u32 cpus;	    /* online */
	co_u64 memory_free; /* bytes that a VM could get now, the reserve kept */
	co_u64 memory_reserve;
};
CO_ASSERT_SIZE(struct co_req_check, 64);

struct co_req_vm_create {
	co_u32 driver_abi; /* in: what the caller was built for, else CO_EPROTO */
	co_u32 vcpus;	   /* in: that may ever be online, 1..CO_VCPUS_MAX */
	co_u64 memory;	   /* in: bytes, multiple of 2 MiB, >= 32 MiB */
	co_u32 devices;	   /* in: highest device number + 1, <= CO_DEVICES_MAX */
	co_u32 chunks;	   /* out: how many chunks it got */
	co_u64 lowest;	   /* out: machine address range that its memory can lie in */
	co_u64 highest;	   /* out: end, exclusive */
	co_u64 memory_max; /* in: bytes it may grow to, multiple of 2 MiB, >= memory */
	co_u32 online;	   /* in: vCPUs to start with, 1..vcpus */
	co_u32 watchdog;   /* in: seconds with interrupts off until the VM is ended, 0: never */
	co_u8 name[64]; /* in: NUL-terminated */
};
CO_ASSERT_SIZE(struct co_req_vm_create, 120);

#define CO_WATCHDOG_MAX 86400 /* s */

/* What it started with; VM_MEMORY tells what it has now. */
struct co_req_vm_chunk {
	co_u32 index; /* in */
	co_u32 pad;
	struct co_chunk chunk; /* out */
};
CO_ASSERT_SIZE(struct co_req_vm_chunk, 24);

/*
 * Is [address, address + size) the guest's now? 0, or CO_EFAULT. A guest that
 * keeps its word gives nothing back that it has named to a device.
 */
struct co_req_vm_memory {
	co_u64 address; /* in */
	co_u64 size;	/* in: > 0 */
};
CO_ASSERT_SIZE(struct co_req_vm_memory, 16);

/* Addresses are the caller's; all is copied before the request returns. */
struct co_req_vm_load {
	co_u64 kernel; /* in: ELF image */
	co_u64 kernel_size;
	co_u64 initrd; /* in: or 0 */
	co_u64 initrd_size;
	co_u64 command_line; /* in: without NUL */
	co_u64 command_line_size;
	co_u32 error; /* out: CO_LOAD_*, says more than the errno */
	co_u32 detail; /* out: e.g. the version found, the segment's index */
};
CO_ASSERT_SIZE(struct co_req_vm_load, 56);

#define CO_LOAD_OK	     0
#define CO_LOAD_NOT_ELF	     1 /* no ELF magic */
#define CO_LOAD_MACHINE	     2 /* not ELF64 x86-64 EXEC; detail = e_machine */
#define CO_LOAD_TRUNCATED    3 /* headers or segments beyond the end; detail = segment */
#define CO_LOAD_NO_NOTE	     4 /* no colinux note: not a cooperative kernel */
#define CO_LOAD_ABI	     5 /* detail = version found */
#define CO_LOAD_OVERLAP	     6 /* detail = segment */
#define CO_LOAD_OUTSIDE	     7 /* segment, entry or switch text out of range; detail = segment */
#define CO_LOAD_TOO_SMALL    8 /* memory can't hold kernel and initrd; detail = MiB needed */
#define CO_LOAD_COMMAND_LINE 9 /* longer than CO_COMMAND_LINE_MAX - 1; detail = its length */
#define CO_LOAD_LEVELS	     10 /* host has 5-level paging on, the image can't */
#define CO_LOAD_STARTED	     11 /* the VM was loaded already */
#define CO_LOAD_COUNT	     12

/* Why RUN came back. */
#define CO_EXIT_INTR	     1 /* a signal, or asked to; run again */
#define CO_EXIT_CONSOLE	     2 /* data[0..size): early console text */
#define CO_EXIT_DEVICE_READ  3 /* arg[] as in guest.h; answer in `result` of the next RUN */
#define CO_EXIT_DEVICE_WRITE 4 /* the same */
#define CO_EXIT_STOP	     5 /* the VM has its verdict: VM_INFO */

struct co_req_vcpu_run {
	co_u32 vcpu; /* in */
	co_u32 exit; /* out: CO_EXIT_* */
	co_u64 result; /* in: answer to the last DEVICE_* exit */
	co_u64 arg[4]; /* out */
	co_u32 size; /* out: bytes of data */
	co_u32 pad;
	co_u8 data[CO_TEXT_MAX]; /* out */
};
CO_ASSERT_SIZE(struct co_req_vcpu_run, 1080);

/*
 * Sets event bits, and those of one queue, device or power wish; kicks. MEMORY:
 * the guest shall have at most that much (a multiple of 2 MiB, from 32 MiB to
 * memory_max): it gives back down to that, or as far as it can, and takes up to
 * that on demand.
 */
struct co_req_vm_raise {
	co_u32 vcpu;   /* in */
	co_u32 events; /* in: CO_EVENT_QUEUE, _CONFIG, _POWER, _CLOCK, _CPUS or _MEMORY, one of them */
	co_u64 value;  /* in: queue number, device number, CO_POWER_*, vCPUs or bytes */
};
CO_ASSERT_SIZE(struct co_req_vm_raise, 16);

/* What CO_CALL_NOTIFY on a queue signals. Linux: an eventfd. */
struct co_req_doorbell {
	co_u32 queue; /* in: < CO_QUEUES_MAX */
	co_u32 pad;
	co_s64 handle; /* in: file descriptor, -1: none */
};
CO_ASSERT_SIZE(struct co_req_doorbell, 16);

/* Verdicts: CO_STOP_* of the guest's own, or one of the host's. */
#define CO_VERDICT_NONE	   0
#define CO_VERDICT_KILLED  0x100 /* VM_STOP, or its daemon is gone */
#define CO_VERDICT_BADCALL 0x101 /* the guest broke the contract; text says how */
#define CO_VERDICT_HOST	   0x102 /* the host failed, or went down; text says how */
#define CO_VERDICT_STUCK   0x103 /* it kept a processor with interrupts off; see VM_CREATE's watchdog */

struct co_req_vm_info {
	co_u32 verdict; /* out: CO_STOP_* or CO_VERDICT_* */
	co_u32 vcpus;
	co_u64 memory;
	/* Counters, since the VM was made. */
	co_u64 switches;   /* round trips host -> guest -> host */
	co_u64 bursts;
	co_u64 forwarded;  /* interrupts replayed into the host */
	co_u64 nmis;	   /* NMIs replayed, those in the passage included */
	co_u64 nmis_passage; /* NMIs that hit the passage */
	co_u64 mces;
	co_u64 idles;
	co_u64 notifies;
	co_u64 events; /* raised */
	co_u64 kicks;
	co_u64 guest_ns; /* time between entry and exit */
	co_u64 memory_max; /* `memory` is what it has now */
	co_u32 online;	   /* vCPUs that aren't OFF */
	co_u32 pad;
	co_u64 memory_limit; /* what it shall have at most: the last MEMORY raised */
	co_u64 memory_free;  /* of `memory`, as the guest said last: what it doesn't use */
	co_u64 memory_returned; /* the most that it ever had, less what it has now */
	co_u64 rescues; /* NMIs sent to get a processor back */
	co_u64 reserved[1];
	co_u8 text[256]; /* out: the verdict in words, NUL-terminated */
};
CO_ASSERT_SIZE(struct co_req_vm_info, 416);

/* Ends the VM: RUN comes back with CO_EXIT_STOP. The first verdict stays. */
struct co_req_vm_stop {
	co_u32 verdict; /* in: CO_VERDICT_KILLED */
	co_u32 pad;
	co_u8 text[56]; /* in: NUL-terminated */
};
CO_ASSERT_SIZE(struct co_req_vm_stop, 64);

#endif
