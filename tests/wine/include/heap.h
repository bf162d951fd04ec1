/* SPDX-License-Identifier: GPL-2.0 */
/* Windows frees what is aligned by a function of its own: then all is aligned. */
#ifndef CO_TESTS_WINE_HEAP_H
#define CO_TESTS_WINE_HEAP_H

#include <malloc.h>
#include <stdlib.h>

#define aligned_alloc(align, size) _aligned_malloc(size, align)
#define malloc(size)		   _aligned_malloc(size, 16)
#define free(p)			   _aligned_free(p)

#endif
