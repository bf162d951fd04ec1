// SPDX-License-Identifier: GPL-2.0
/*
 * What the installer can't do by itself, whose strings end at 1,024 characters:
 *
 *	path add|remove FOLDER		the machine's PATH, as long as it is
 *	fragment FILE FOLDER CONFIG	a profile for Windows Terminal
 *	elevate SHORTCUT		"Run as administrator" in a shortcut
 *	private FOLDER			makes it, for administrators and the system only
 *
 * Ends with 0, or with Windows' error. No console: the installer shows it.
 */
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#define ENVIRONMENT L"SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
#define PATH_VALUE  L"Path"

/* ---- PATH ---------------------------------------------------------------------- */

struct path {
	DWORD type;
	wchar_t *text; /* with room for one folder more */
};

static DWORD path_read(HKEY key, size_t more, struct path *p)
{
	DWORD size = 0;
	DWORD code = RegQueryValueExW(key, PATH_VALUE, NULL, &p->type, NULL, &size);

	p->text = NULL;
	if (code)
		return code;
	if (p->type != REG_SZ && p->type != REG_EXPAND_SZ)
		return ERROR_INVALID_DATA;
	p->text = calloc(size / sizeof(wchar_t) + more + 3, sizeof(wchar_t));
	if (!p->text)
		return ERROR_OUTOFMEMORY;
	return RegQueryValueExW(key, PATH_VALUE, NULL, NULL, (BYTE *)p->text, &size);
}

/* Where the folder stands in it, a whole part between semicolons; or NULL. */
static wchar_t *path_find(wchar_t *text, const wchar_t *folder)
{
	size_t n = wcslen(folder);
	wchar_t *at = text;

	while (at) {
		if (!_wcsnicmp(at, folder, n) && (!at[n] || at[n] == L';'))
			return at;
		at = wcschr(at, L';');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

static void path_add(wchar_t *text, const wchar_t *folder)
{
	if (path_find(text, folder))
		return;
	if (*text && text[wcslen(text) - 1] != L';')
		wcscat(text, L";");
	wcscat(text, folder);
}

/* The semicolon that path_add() put in front goes, too. */
static void path_remove(wchar_t *text, const wchar_t *folder)
{
	wchar_t *at = path_find(text, folder);
	wchar_t *rest = at ? at + wcslen(folder) : NULL;

	if (!at)
		return;
	if (at > text)
		at--;
	else if (*rest)
		rest++;
	wmemmove(at, rest, wcslen(rest) + 1);
}

static DWORD path_change(const wchar_t *how, const wchar_t *folder)
{
	struct path p;
	HKEY key;
	DWORD code;

	code = RegOpenKeyExW(HKEY_LOCAL_MACHINE, ENVIRONMENT, 0,
			     KEY_QUERY_VALUE | KEY_SET_VALUE, &key);
	if (code)
		return code;
	code = path_read(key, wcslen(folder), &p);
	if (!code) {
		(wcscmp(how, L"add") ? path_remove : path_add)(p.text, folder);
		code = RegSetValueExW(key, PATH_VALUE, 0, p.type, (BYTE *)p.text,
				      (DWORD)((wcslen(p.text) + 1) * sizeof(wchar_t)));
	}
	free(p.text);
	RegCloseKey(key);
	SendMessageTimeoutW(HWND_BROADCAST, WM_SETTINGCHANGE, 0,
			    (LPARAM)L"Environment", SMTO_ABORTIFHUNG, 1000, NULL);
	return code;
}

/* ---- Windows Terminal ----------------------------------------------------------- */

#define JSON_PATH_MAX (4 * 32768)

/* As JSON and UTF-8 want it. */
static void json_text(FILE *f, const wchar_t *text)
{
	static char bytes[JSON_PATH_MAX];
	const char *at;

	if (!WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, sizeof(bytes), NULL,
				 NULL))
		*bytes = 0;
	for (at = bytes; *at; at++) {
		if (*at == '\\' || *at == '"')
			fputc('\\', f);
		fputc(*at, f);
	}
}

/* "JSON fragment extensions" of Microsoft's documents. */
static DWORD fragment(const wchar_t *file, const wchar_t *folder,
		      const wchar_t *config)
{
	FILE *f = _wfopen(file, L"wb");
	bool bad;

	if (!f)
		return ERROR_OPEN_FAILED;
	fputs("{\n\t\"profiles\": [\n\t\t{\n"
	      "\t\t\t\"name\": \"Debian (coLinux)\",\n"
	      "\t\t\t\"commandline\": \"cmd.exe /c \\\"\\\"", f);
	json_text(f, folder);
	fputs("\\\\debian.cmd\\\"\\\"\",\n\t\t\t\"startingDirectory\": \"", f);
	json_text(f, config);
	fputs("\",\n\t\t\t\"elevate\": true\n\t\t}\n\t]\n}\n", f);
	bad = ferror(f);
	return fclose(f) || bad ? ERROR_WRITE_FAULT : 0;
}

/* ---- shortcuts and folders -------------------------------------------------------- */

#define LINK_FLAGS 20	   /* [MS-SHLLINK] 2.1: LinkFlags of the header */
#define RUN_AS_USER 0x2000 /* 2.1.1 */

static DWORD elevate(const wchar_t *file)
{
	FILE *f = _wfopen(file, L"r+b");
	unsigned int flags = 0;
	bool good;

	if (!f)
		return ERROR_OPEN_FAILED;
	good = !fseek(f, LINK_FLAGS, SEEK_SET) &&
	       fread(&flags, sizeof(flags), 1, f) == 1;
	flags |= RUN_AS_USER;
	good = good && !fseek(f, LINK_FLAGS, SEEK_SET) &&
	       fwrite(&flags, sizeof(flags), 1, f) == 1;
	return fclose(f) || !good ? ERROR_WRITE_FAULT : 0;
}

/* What is in it is started in ring 0. One that is there may be another's: it becomes
 * the administrators', and only theirs. */
static DWORD private_folder(wchar_t *folder)
{
	SECURITY_ATTRIBUTES a = { sizeof(a), NULL, FALSE };
	PSID owner;
	PACL dacl;
	BOOL there, defaulted;
	DWORD code = 0;

	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
		    L"O:BAD:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)", SDDL_REVISION_1,
		    &a.lpSecurityDescriptor, NULL))
		return GetLastError();
	if (!CreateDirectoryW(folder, &a))
		code = GetLastError();
	if (code == ERROR_ALREADY_EXISTS) {
		GetSecurityDescriptorOwner(a.lpSecurityDescriptor, &owner, &defaulted);
		GetSecurityDescriptorDacl(a.lpSecurityDescriptor, &there, &dacl,
					  &defaulted);
		code = SetNamedSecurityInfoW(folder, SE_FILE_OBJECT,
					     OWNER_SECURITY_INFORMATION |
						     DACL_SECURITY_INFORMATION |
						     PROTECTED_DACL_SECURITY_INFORMATION,
					     owner, NULL, dacl, NULL);
	}
	LocalFree(a.lpSecurityDescriptor);
	return code;
}

int wmain(int argc, wchar_t **argv)
{
	if (argc == 4 && !wcscmp(argv[1], L"path"))
		return (int)path_change(argv[2], argv[3]);
	if (argc == 5 && !wcscmp(argv[1], L"fragment"))
		return (int)fragment(argv[2], argv[3], argv[4]);
	if (argc == 3 && !wcscmp(argv[1], L"elevate"))
		return (int)elevate(argv[2]);
	if (argc == 3 && !wcscmp(argv[1], L"private"))
		return (int)private_folder(argv[2]);
	return ERROR_INVALID_PARAMETER;
}
