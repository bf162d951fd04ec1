/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_TOOLS_VERSION_H
#define CO_TOOLS_VERSION_H

#define COLINUX_VERSION "0.1"
/* Of the control socket; see docs/protocol.md. */
#define COLINUX_PROTOCOL 1
/* Name of the port through which daemon and guest agent talk. */
#define COLINUX_AGENT_PORT "org.colinux.agent"

#endif
