// SPDX-License-Identifier: GPL-2.0
#include "security.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdlib.h>

#include "../../lib/text.h"

/* TOKEN_USER with its SID behind it. NULL: GetLastError(). Caller frees. */
static TOKEN_USER *user(void)
{
	TOKEN_USER *u = need(sizeof(*u) + SECURITY_MAX_SID_SIZE);
	HANDLE token;
	DWORD n;
	BOOL good;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
		free(u);
		return NULL;
	}
	good = GetTokenInformation(token, TokenUser, u,
				   sizeof(*u) + SECURITY_MAX_SID_SIZE, &n);
	CloseHandle(token);
	if (good)
		return u;
	free(u);
	return NULL;
}

PSECURITY_DESCRIPTOR security_own(bool folder)
{
	const char *how = folder ? "OICI" : "";
	PSECURITY_DESCRIPTOR sd = NULL;
	TOKEN_USER *u = user();
	char *sid = NULL, *words;

	if (u && ConvertSidToStringSidA(u->User.Sid, &sid)) {
		words = need_format("D:P(A;%s;GA;;;BA)(A;%s;GA;;;SY)(A;%s;GA;;;%s)",
				    how, how, how, sid);
		ConvertStringSecurityDescriptorToSecurityDescriptorA(
			words, SDDL_REVISION_1, &sd, NULL);
		free(words);
		LocalFree(sid);
	}
	free(u);
	return sd;
}

bool security_trusted(HANDLE object)
{
	PSECURITY_DESCRIPTOR sd = NULL;
	TOKEN_USER *u = user();
	PSID owner = NULL;
	bool good;

	good = u && !GetSecurityInfo(object, SE_KERNEL_OBJECT,
				     OWNER_SECURITY_INFORMATION, &owner, NULL,
				     NULL, NULL, &sd) &&
	       (!owner || /* Wine's objects have none; Windows' always one */
		EqualSid(owner, u->User.Sid) ||
		IsWellKnownSid(owner, WinBuiltinAdministratorsSid) ||
		IsWellKnownSid(owner, WinLocalSystemSid));
	LocalFree(sd);
	free(u);
	return good;
}

bool security_elevated(void)
{
	TOKEN_ELEVATION e = { 0 };
	HANDLE token;
	DWORD n;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return false;
	if (!GetTokenInformation(token, TokenElevation, &e, sizeof(e), &n))
		e.TokenIsElevated = 0;
	CloseHandle(token);
	return e.TokenIsElevated;
}
