/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets as test_slirp.c has them, whose descriptors are all sockets: they are no
 * files here, and their errors aren't in errno. */
#ifndef CO_TESTS_WINE_SOCKETS_H
#define CO_TESTS_WINE_SOCKETS_H

#include <errno.h>
#include <io.h>
#include <unistd.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#define SOCK_NONBLOCK 0x800

static inline int unblocked(SOCKET s)
{
	u_long yes = 1;

	return s == INVALID_SOCKET || ioctlsocket(s, FIONBIO, &yes) ? -1 : (int)s;
}

static inline int socket_of(int family, int type, int protocol)
{
	return unblocked(socket(family, type & ~SOCK_NONBLOCK, protocol));
}

static inline int accept4(int s, struct sockaddr *from, int *size, int flags)
{
	(void)flags;
	return unblocked(accept((SOCKET)s, from, size));
}

static inline int connect_to(int s, const struct sockaddr *to, int size)
{
	int result = connect((SOCKET)s, to, size);

	if (result && WSAGetLastError() == WSAEWOULDBLOCK)
		errno = EINPROGRESS;
	return result;
}

#define socket		socket_of
#define connect		connect_to
#define close(s)	closesocket((SOCKET)(s))
#define read(s, p, n)	recv((SOCKET)(s), p, n, 0)
#define write(s, p, n)	send((SOCKET)(s), p, n, 0)

#endif
