/* SPDX-License-Identifier: GPL-2.0 */
/* The daemon's end of the port to the guest's agent. Loop thread. */
#ifndef CO_TOOLS_AGENT_H
#define CO_TOOLS_AGENT_H

#include "control.h"

struct agent *agent_create(struct daemon *d);
void agent_free(struct agent *a); /* NULL is allowed */
bool agent_ready(const struct agent *a);
/* A new stream for the connection; 0: too many run. */
uint32_t agent_open(struct agent *a, struct connection *c);
/* The connection has gone: the command ends. */
void agent_leave(struct agent *a, uint32_t stream);
/* False: the agent doesn't read and its queue is full. */
bool agent_send(struct agent *a, enum frame_type type, uint32_t stream,
		const void *data, size_t n);

/* ---- exec.c ---------------------------------------------------------------- */

/* Requests that wait for the agent go on. */
void exec_agent_ready(struct daemon *d);
/* A frame of the agent for this connection's command. */
void exec_from_agent(struct connection *c, const struct frame *f);

#endif
