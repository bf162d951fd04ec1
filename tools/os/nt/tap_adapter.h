/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Adapters of TAP-Windows6, OpenVPN's driver of a network card whose cable ends in
 * a program. Facts: OpenVPN/tap-windows6, src/tap-windows.h.
 */
#ifndef CO_NT_TAP_ADAPTER_H
#define CO_NT_TAP_ADAPTER_H

#include <uv.h>
#include <windows.h>

#include "../../net/backend.h"

struct tap_adapter {
	wchar_t guid[64]; /* "{...}", by which the system knows it */
	char *name;	  /* of its connection, as the user sees it; caller frees */
};

/* The adapter of that name, or for NULL the n-th one there is. 0, or -1 and an error
 * that names those there are. */
int tap_adapter_find(const char *name, unsigned int n, struct tap_adapter *a,
		     struct error **err);
/* Opens it, with its cable put in; its MTU. NULL and an error. */
HANDLE tap_adapter_open(const struct tap_adapter *a, uint16_t *mtu,
			struct error **err);
/* Gives the host's end an address, ADDRESS[/BITS], until `context` is deleted
 * (DeleteIPAddress()); 0: it had it. 0, or -1 and an error. */
int tap_adapter_address(const struct tap_adapter *a, const char *address,
			ULONG *context, struct error **err);

/* A back end over a handle on which each read and each write is a frame, which is
 * its own from then on, errors included. `context`: as above. NULL and an error. */
struct net_backend *tap_frames(uv_loop_t *loop, HANDLE handle, const char *name,
			       ULONG context, struct error **err);

#endif
