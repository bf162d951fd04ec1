// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <string.h>

/* It asks this program for verbs, options and keys, so that it is never older. */
static const char bash[] =
	"# bash completion for colinux\n"
	"_colinux()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words i\n"
	"\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
	"\t\twords=$(colinux help | awk '/^  / { print $1 }')\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\twords=$(colinux \"$verb\" --help | grep -oE -e '--[a-z-]+' | sort -u)\n"
	"\telse\n"
	"\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\t\t[[ ${COMP_WORDS[i]} == -* ]] || break\n"
	"\t\tdone\n"
	"\t\tcase $verb in\n"
	"\t\tattach | stop | info | log | exec | stats | set | share | port | link | capture)\n"
	"\t\t\tif [ \"$i\" = \"$COMP_CWORD\" ]; then\n"
	"\t\t\t\twords=$(colinux list | awk 'NR > 1 { print $1 }')\n"
	"\t\t\telif [ \"$verb\" = set ]; then\n"
	"\t\t\t\twords='cpus= mem= pin='\n"
	"\t\t\tfi ;;\n"
	"\t\trun | start)\n"
	"\t\t\twords=$(colinux config keys | sed -nE 's/^  ([a-z]+)N?=.*/\\1/p' |\n"
	"\t\t\t\tsed -E 's/^(cobd|cofs|eth|ttys)$/\\10/; s/$/=/') ;;\n"
	"\t\tconfig) words='check keys' ;;\n"
	"\t\tdisk) words='resize commit discard' ;;\n"
	"\t\timage) words=create ;;\n"
	"\t\tcompletion) words=bash ;;\n"
	"\t\thelp) words=$(colinux help | awk '/^  / { print $1 }') ;;\n"
	"\t\tesac\n"
	"\tfi\n"
	"\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	"\t[[ ${COMPREPLY[0]:-} != *= ]] || compopt -o nospace 2>/dev/null\n"
	"}\n"
	"complete -o default -F _colinux colinux\n";

int verb_completion(int argc, char **argv, struct error **err)
{
	const struct option_spec specs[] = { { 0 } };

	if (options_take(argc, argv, specs, 1, 1, false, err) < 0)
		return -1;
	if (strcmp(argv[1], "bash"))
		return error_set(err, 0,
				 "completion: there is none for '%s', only for bash",
				 argv[1]);
	fputs(bash, stdout);
	return 0;
}
