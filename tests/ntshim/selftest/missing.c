// SPDX-License-Identifier: GPL-2.0
/* A driver that asks for two functions that nobody has promised it. */
#define _WIN32_WINNT 0x0A00
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	(void)driver;
	(void)path;
	IoReportResourceForDetection(NULL, NULL, 0, NULL, NULL, 0, NULL);
	KeBugCheck(0);
	return STATUS_SUCCESS;
}
