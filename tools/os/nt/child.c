// SPDX-License-Identifier: GPL-2.0
/* There are no helpers of that kind here (can.c): this is for qemu-img alone. */
#include "../child.h"

#include <process.h>
#include <stdlib.h>

#include "../../lib/text.h"
#include "../path.h"
#include "spawn.h"

int child_run(char *const argv[], unsigned int seconds, struct error **err)
{
	struct spawn s = { .argv = argv };
	int status;

	if (spawn_start(&s, err))
		return -1;
	if (seconds &&
	    WaitForSingleObject(s.process, seconds * 1000) == WAIT_TIMEOUT) {
		TerminateProcess(s.process, 1);
		spawn_wait(&s);
		return error_set(err, 0,
				 "%s: hasn't ended after %u seconds, and was killed",
				 argv[0], seconds);
	}
	status = spawn_wait(&s);
	if (!status)
		return 0;
	return error_set(err, 0, "%s: ended with status %d", argv[0], status);
}
