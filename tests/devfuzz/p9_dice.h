/* SPDX-License-Identifier: GPL-2.0 */
/* 9P messages by chance, as a client would write them. */
#ifndef CO_TESTS_P9_DICE_H
#define CO_TESTS_P9_DICE_H

#include "dice.h"

/* The body of a request; returns its type. */
uint8_t p9_dice_body(struct message *m, struct dice *dice);

#endif
