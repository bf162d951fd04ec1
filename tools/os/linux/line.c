// SPDX-License-Identifier: GPL-2.0
#include "../line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "../../lib/text.h"

static const struct {
	unsigned int baud;
	speed_t speed;
} speeds[] = {
	{ 50, B50 },	     { 75, B75 },	  { 110, B110 },
	{ 134, B134 },	     { 150, B150 },	  { 200, B200 },
	{ 300, B300 },	     { 600, B600 },	  { 1200, B1200 },
	{ 1800, B1800 },     { 2400, B2400 },	  { 4800, B4800 },
	{ 9600, B9600 },     { 19200, B19200 },	  { 38400, B38400 },
	{ 57600, B57600 },   { 115200, B115200 }, { 230400, B230400 },
	{ 460800, B460800 }, { 500000, B500000 }, { 576000, B576000 },
	{ 921600, B921600 }, { 1000000, B1000000 }, { 1152000, B1152000 },
	{ 1500000, B1500000 }, { 2000000, B2000000 }, { 2500000, B2500000 },
	{ 3000000, B3000000 }, { 3500000, B3500000 }, { 4000000, B4000000 },
};

static int set_speed(struct termios *t, unsigned int baud, struct error **err)
{
	size_t i;

	if (!baud)
		return 0;
	for (i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (speeds[i].baud == baud)
			return cfsetspeed(t, speeds[i].speed) ?
				       error_set(err, errno, "baud=%u", baud) : 0;
	return error_set(err, 0,
			 "baud=%u is no speed that Linux knows: 9600, 19200, 38400, 57600, 115200, ...",
			 baud);
}

static void set_flag(tcflag_t *flags, tcflag_t bit, int on)
{
	if (on > 0)
		*flags |= bit;
	else if (!on)
		*flags &= ~bit;
}

static void set_parity(struct termios *t, char parity)
{
	if (!parity)
		return;
	set_flag(&t->c_cflag, PARENB, parity != 'n');
	set_flag(&t->c_cflag, PARODD, parity == 'o' || parity == 'm');
	set_flag(&t->c_cflag, CMSPAR, parity == 'm' || parity == 's');
}

static void set_data(struct termios *t, unsigned int bits)
{
	static const tcflag_t size[] = { CS5, CS6, CS7, CS8 };

	if (!bits)
		return;
	t->c_cflag &= ~(tcflag_t)CSIZE;
	t->c_cflag |= size[bits - 5];
}

/* Raw as the guest's own terminal settings are made in the guest; CLOCAL: a line
 * without a modem's carrier works, too. */
static int set_mode(int fd, const struct serial_mode *mode, struct error **err)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return error_set(err, errno, "cannot read its settings");
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	if (set_speed(&t, mode->baud, err))
		return -1;
	set_parity(&t, mode->parity);
	set_data(&t, mode->data);
	if (mode->stop)
		set_flag(&t.c_cflag, CSTOPB, mode->stop == 2);
	set_flag(&t.c_cflag, CRTSCTS, mode->hardware);
	set_flag(&t.c_iflag, IXON | IXOFF, mode->xon);
	if (tcsetattr(fd, TCSANOW, &t))
		return error_set(err, errno, "cannot set it");
	return 0;
}

/* A line that has no such wires (a pseudo terminal) says EINVAL or ENOTTY. */
static int set_wire(int fd, int wire, const char *name, int on,
		    struct error **err)
{
	if (on < 0 || !ioctl(fd, on ? TIOCMBIS : TIOCMBIC, &wire))
		return 0;
	return error_set(err, errno, "%s=%s", name, on ? "on" : "off");
}

static int set_up(int fd, const struct serial_mode *mode, struct error **err)
{
	if (!isatty(fd))
		return error_set(err, 0, "is no terminal: name a serial device, or unix:PATH for a socket");
	/* TIOCEXCL doesn't stop root. */
	if (flock(fd, LOCK_EX | LOCK_NB))
		return error_set(err, 0, "another program has it");
	if (set_mode(fd, mode, err) ||
	    set_wire(fd, TIOCM_DTR, "dtr", mode->dtr, err) ||
	    set_wire(fd, TIOCM_RTS, "rts", mode->rts, err))
		return -1;
	if (ioctl(fd, TIOCEXCL))
		return error_set(err, errno, "cannot be kept from others");
	return 0;
}

int line_open(const char *path, const struct serial_mode *mode,
	      struct error **err)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == EBUSY)
		return error_set(err, 0, "%s: another program has it", path);
	if (fd < 0)
		return error_set(err, errno, "%s", path);
	if (!set_up(fd, mode, err))
		return fd;
	close(fd);
	return error_wrap(err, "%s", path);
}

/* The settings stay as long as the master is open. Opened and closed once, so that
 * it counts as hung up until somebody comes. */
static int make_raw(const char *name)
{
	int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC), rc = -1;
	struct termios t;

	if (fd < 0)
		return -1;
	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		rc = tcsetattr(fd, TCSANOW, &t);
	}
	close(fd);
	return rc;
}

int line_open_pty(char **name, struct error **err)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	char path[64];

	if (fd < 0)
		return error_set(err, errno, "cannot make a pseudo terminal");
	if (grantpt(fd) || unlockpt(fd) || ptsname_r(fd, path, sizeof(path)) ||
	    make_raw(path)) {
		error_set(err, errno, "cannot set up a pseudo terminal");
		close(fd);
		return -1;
	}
	*name = need_copy(path, strlen(path));
	return fd;
}

bool line_hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}
