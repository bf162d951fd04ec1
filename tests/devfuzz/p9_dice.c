// SPDX-License-Identifier: GPL-2.0
#include "p9_dice.h"

#include "../../tools/share/p9.h"

/*
 * What a body is made of: f a fid, n a name, x an attribute's, s any string, w the
 * names of a walk, m a mode, F flags of opening, g a group, o an offset, c a count,
 * d data of Twrite with its count, 1 2 4 8 a number of so many bytes, N no fid.
 */
static const struct {
	uint8_t type;
	const char *body;
} bodies[] = {
	{ P9_TSTATFS, "f" },	   { P9_TLOPEN, "fF" },
	{ P9_TLCREATE, "fnFmg" },  { P9_TSYMLINK, "fnng" },
	{ P9_TMKNOD, "fnm44g" },   { P9_TRENAME, "ffn" },
	{ P9_TREADLINK, "f" },	   { P9_TGETATTR, "f8" },
	{ P9_TSETATTR, "f4mggoooo8" }, { P9_TXATTRWALK, "ffx" },
	{ P9_TXATTRCREATE, "fxo4" }, { P9_TREADDIR, "foc" },
	{ P9_TFSYNC, "f4" },	   { P9_TLOCK, "f14oo4s" },
	{ P9_TGETLOCK, "f1oo4s" }, { P9_TLINK, "ffn" },
	{ P9_TMKDIR, "fnmg" },	   { P9_TRENAMEAT, "fnfn" },
	{ P9_TUNLINKAT, "fnF" },   { P9_TVERSION, "4v" },
	{ P9_TAUTH, "fss4" },	   { P9_TATTACH, "fNss4" },
	{ P9_TFLUSH, "2" },	   { P9_TWALK, "ffw" },
	{ P9_TREAD, "foc" },	   { P9_TWRITE, "fod" },
	{ P9_TCLUNK, "f" },	   { P9_TREMOVE, "f" },
	{ P9_TWALK, "ffw" },	   { P9_TLOPEN, "fF" },
};

static const char *const names[] = { "file", "dir", "link", "a", "b", "..", "." };
static const char *const xattrs[] = { "security.a", "trusted.b", "user.c", "",
				      "system.posix_acl_access" };
static const char *const strings[] = { "", "/", "root", "9P2000.L" };
static const uint32_t flags[] = { 0, 1, 2, P9_O_TRUNC, P9_O_CREATE, P9_O_EXCL,
				  P9_O_DIRECT | 2, P9_O_DIRECTORY,
				  P9_AT_REMOVEDIR, P9_O_SYNC | 1 };

static void put_number(struct message *m, uint64_t value, unsigned int bytes)
{
	for (; bytes; bytes--, value >>= 8)
		put8(m, (uint32_t)value & 0xff);
}

static void put_string(struct message *m, const char *s)
{
	put_number(m, strlen(s), 2);
	put(m, s, strlen(s));
}

static void put_name(struct message *m, struct dice *dice)
{
	put_string(m, names[dice_roll(dice, sizeof(names) / sizeof(*names))]);
}

static void put_walk(struct message *m, struct dice *dice)
{
	uint32_t n = dice_roll(dice, 4);

	put_number(m, n, 2);
	while (n--)
		put_name(m, dice);
}

static void put_data(struct message *m, struct dice *dice)
{
	uint32_t n = dice_roll(dice, 40);

	put_number(m, n, 4);
	while (n--)
		put8(m, n);
}

static uint32_t mode(struct dice *dice)
{
	static const uint32_t kind[] = { 0100000, 0010000, 0020000, 0140000, 0 };

	return kind[dice_roll(dice, 5)] | (dice_roll(dice, 2) ? 0644 : 06755);
}

static void put_one(struct message *m, char what, struct dice *dice)
{
	static const uint32_t small[] = { 0, 1, 2, 3, 5, 8, 64, 512, 4096, 8192 };
	uint32_t number = small[dice_roll(dice, 10)];

	switch (what) {
	case 'f':
		put_number(m, dice_roll(dice, 6), 4);
		break;
	case 'n':
		put_name(m, dice);
		break;
	case 'x':
		put_string(m, xattrs[dice_roll(dice, 5)]);
		break;
	case 's':
		put_string(m, strings[dice_roll(dice, 4)]);
		break;
	case 'v':
		put_string(m, strings[3]);
		break;
	case 'w':
		put_walk(m, dice);
		break;
	case 'm':
		put_number(m, mode(dice), 4);
		break;
	case 'F':
		put_number(m, flags[dice_roll(dice, 10)], 4);
		break;
	case 'd':
		put_data(m, dice);
		break;
	case 'N':
		put_number(m, P9_NOFID, 4);
		break;
	case 'o':
		put_number(m, number, 8);
		break;
	case 'g':
	case 'c':
		put_number(m, number, 4);
		break;
	default:
		put_number(m, dice_roll(dice, 2) ? number : dice_roll(dice, 512),
			   (unsigned int)(what - '0'));
		break;
	}
}

uint8_t p9_dice_body(struct message *m, struct dice *dice)
{
	uint32_t i = dice_roll(dice, sizeof(bodies) / sizeof(*bodies));
	const char *what;

	for (what = bodies[i].body; *what; what++)
		put_one(m, *what, dice);
	return bodies[i].type;
}
