/* SPDX-License-Identifier: GPL-2.0 */
/* In place of glibc's, for its <elf.h>, which wants no more than these. */
#ifndef CO_TESTS_WINE_FEATURES_H
#define CO_TESTS_WINE_FEATURES_H

#define __BEGIN_DECLS
#define __END_DECLS

#endif
