// SPDX-License-Identifier: GPL-2.0
/*
 * Properties of the configuration language, on random configurations:
 *
 *	print	what is printed gives the same configuration again
 *	blanks	other white space and comments between words change nothing
 *	order	unrelated words may stand in any order
 *	last	of two values the last holds
 *
 *	properties CASES [SEED]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/lib/config.h"

#define WORDS 24

struct words {
	char *word[WORDS];
	unsigned int n;
};

static uint64_t state;

static unsigned int dice(unsigned int sides)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 16) % sides;
}

static const char *pick(const char *const *list, unsigned int n)
{
	return list[dice(n)];
}

#define PICK(...)                                                        \
	pick((const char *const[]){ __VA_ARGS__ },                       \
	     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

/* A value in the language: plain, in quotes as a whole, or in part. */
static char *random_path(void)
{
	char name[16];
	unsigned int i, n = 1 + dice(12);
	const char *quote = PICK("", "", "\"");
	static const char plain[] = "abcxyz019._-/=:@", all[] = "ab 1#,\t/";

	for (i = 0; i < n; i++)
		name[i] = *quote ? all[dice(sizeof(all) - 1)] :
				   plain[dice(sizeof(plain) - 1)];
	return need_format("%s%s/%.*s%s%s", PICK("", "", "\"q\""), quote,
			   (int)n, name, *quote ? PICK("", "\"\"") : "", quote);
}

static char *random_disk(unsigned int n)
{
	char *path = random_path();
	char *word = need_format("cobd%u=%s%s", n, path, PICK("", ",ro"));

	free(path);
	return word;
}

static char *random_exec(unsigned int n)
{
	char *path = random_path();
	char *word = need_format("exec%u=%s%s", n, path,
				 PICK("", ",-x", ",\"a b\"",
				      ",\"-e \"\"a b\"\" 'c # d'\"", ",\"\""));

	free(path);
	return word;
}

static char *with_path(const char *key)
{
	char *path = random_path();
	char *word = need_format("%s=%s", key, path);

	free(path);
	return word;
}

/* One word of the key with this number, the same key for the same number. */
static char *random_word(unsigned int key)
{
	switch (key) {
	case 0:
		return with_path("kernel");
	case 1:
		return with_path("initrd");
	case 2:
		return need_format("mem=%u%s", 64 + dice(900),
				   PICK("", "M", "m"));
	case 3:
		return need_format("maxmem=%uG", 2 + dice(9));
	case 4:
		return need_format("cpus=%u", 1 + dice(8));
	case 5:
		return need_format("maxcpus=%u", 8 + dice(57));
	case 6:
		return need_format("pin=%s", PICK("none", "0,2", "all:1-3,7"));
	case 7:
		return need_format("watchdog=%u", dice(60));
	case 8:
		return need_format("cocon=%u%s%u%s", 16 + dice(900),
				   PICK("x", ","), 2 + dice(900),
				   PICK("", "x0", ",77"));
	case 9:
		return need_format("cursor=%u", dice(101));
	case 10:
		return need_format("color=%s%s", PICK("white", "Grey", "brown"),
				   PICK("", ",blue", ",lightmagenta"));
	case 11:
		return need_format("clock=%s", PICK("host", "guest"));
	case 12:
		return need_format("name=%s", PICK("a", "b.c", "x_1-2"));
	case 13:
		return with_path("log");
	case 14:
	case 15:
		return random_disk(key - 14);
	case 16:
		return random_exec(dice(1));
	case 17:
		return random_exec(7);
	case 18:
		return need_format("%s=:cobd0", "hdb2");
	case 19:
		return need_format("scsi3=%s,:cobd1", PICK("disk", "cdrom"));
	default:
		return need_format("setcobd=%s", PICK("sync", "async"));
	}
}

#define KEYS 21

/* Each key at most once; what others need is there. */
static void random_words(struct words *w)
{
	unsigned int i;

	w->n = 0;
	for (i = 0; i < KEYS; i++)
		if (i == 0 || i == 5 || i == 14 || i == 15 || dice(2))
			w->word[w->n++] = random_word(i);
}

static void shuffle(struct words *w)
{
	unsigned int i, j;
	char *t;

	for (i = w->n - 1; i; i--) {
		j = dice(i + 1);
		t = w->word[i];
		w->word[i] = w->word[j];
		w->word[j] = t;
	}
}

static const char *const guest_words[] = {
	"root=/dev/cobd0", "ro", "quiet", "init=\"/bin/sh -c\"", "mem2=1",
	"root=/dev/hdb2", "a=b=c", "--", "single",
};

#define GUEST (sizeof(guest_words) / sizeof(guest_words[0]))

/* The words with random blanks, and the guest's in their order among them. */
static void write_words(const struct words *w, unsigned int guest,
			struct text *out)
{
	unsigned int i, g = 0;

	for (i = 0; i < w->n; i++) {
		for (; g < guest && !dice(3); g++)
			text_format(out, "%s%s", guest_words[g],
				    PICK(" ", "\n", "#x\n"));
		text_format(out, "%s%s%s", PICK("", "\t", "# \"c=d\n", "\r\n"),
			    w->word[i],
			    PICK(" ", "\n", "\t\t", "# mem=1\n", "\r\n#\n"));
	}
	for (; g < guest; g++)
		text_format(out, "%s ", guest_words[g]);
}

static void fail(const char *what, const struct text *a, const struct text *b)
{
	printf("%s\n---\n%s\n---\n%s\n", what, a->data, b->data);
	exit(1);
}

/* All that the words came to. */
static void meaning(const struct text *words, struct text *out)
{
	struct error *err = NULL;
	struct config c;

	config_init(&c);
	if (config_text(&c, "p", words->data, words->length, &err) ||
	    config_finish(&c, &err)) {
		printf("%s\n---\n%s\n", err->text, words->data);
		exit(1);
	}
	config_print(&c, out);
	text_format(out, "%s\n", c.command_line.data);
	config_free(&c);
}

/* Texts that must mean the same as `first`. */
static void same(const char *what, const struct text *first, struct text *other)
{
	struct text a = { 0 }, b = { 0 };

	meaning(first, &a);
	meaning(other, &b);
	if (strcmp(a.data, b.data))
		fail(what, first, other);
	text_free(&a);
	text_free(&b);
	text_free(other);
}

static void one_case(void)
{
	unsigned int guest = dice(GUEST + 1), i;
	struct text first = { 0 }, other = { 0 };
	struct words w;
	char *word;

	random_words(&w);
	write_words(&w, guest, &first);
	meaning(&first, &other);
	same("print", &first, &other);
	write_words(&w, guest, &other);
	same("blanks", &first, &other);
	/* An alias that was said once and twice stands in other places of the
	 * list, which means nothing; so with one alias at most. */
	for (i = 0; i < w.n; i++)
		if (!strncmp(w.word[i], "scsi", 4)) {
			free(w.word[i]);
			w.word[i] = w.word[--w.n];
		}
	text_free(&first);
	write_words(&w, guest, &first);
	shuffle(&w);
	write_words(&w, guest, &other);
	same("order", &first, &other);
	do {
		i = dice(KEYS - 2);
	} while (i == 18);
	word = random_word(i);
	for (i = 0; i < w.n; i++)
		if (!strncmp(w.word[i], word, strcspn(word, "=") + 1))
			break;
	if (i < w.n) {
		text_format(&other, "%s\n%s", word, first.data);
		same("last", &first, &other);
	}
	free(word);
	text_free(&first);
	for (i = 0; i < w.n; i++)
		free(w.word[i]);
}

int main(int argc, char **argv)
{
	unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000, i;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 88172645463325252;
	for (i = 0; i < cases; i++)
		one_case();
	printf("%lu cases\n", cases);
	return 0;
}
