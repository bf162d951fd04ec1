// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <string.h>

static const struct option_spec *find(const struct option_spec *specs,
				      const char *name)
{
	for (; specs->name; specs++)
		if (!strcmp(specs->name, name))
			return specs;
	return NULL;
}

static int set(const struct option_spec *o, const char *value,
	       struct error **err)
{
	uint64_t n;

	if (!value)
		return error_set(err, 0, "option %s needs a value", o->name);
	if (o->text) {
		*o->text = value;
		return 0;
	}
	if (!text_number(value, 86400, &n))
		return error_set(err, 0, "option %s: '%s' is no number up to 86400",
				 o->name, value);
	*o->number = (unsigned int)n;
	return 0;
}

static int count_error(const char *verb, int min, int left, struct error **err)
{
	return error_set(err, 0, "%s: %s; see `colinux %s --help`", verb,
			 left < min ? "something is missing" :
				      "too many arguments",
			 verb);
}

int options_take(int argc, char **argv, const struct option_spec *specs,
		 int min, int max, bool stop_early, struct error **err)
{
	bool options = true;
	int i, left = 0;

	for (i = 1; i < argc; i++) {
		const struct option_spec *o = NULL;

		if (options && !strcmp(argv[i], "--")) {
			options = false;
			continue;
		}
		if (options && argv[i][0] == '-') {
			o = find(specs, argv[i]);
			if (!o)
				return error_set(err, 0,
						 "%s: unknown option %s; see `colinux %s --help`",
						 argv[0], argv[i], argv[0]);
		}
		if (o && o->flag) {
			*o->flag = true;
		} else if (o) {
			if (set(o, i + 1 < argc ? argv[++i] : NULL, err))
				return -1;
		} else {
			argv[++left] = argv[i];
			if (stop_early)
				options = false;
		}
	}
	if (left < min || (!stop_early && left > max))
		return count_error(argv[0], min, left, err);
	return left;
}
