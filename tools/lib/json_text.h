/* SPDX-License-Identifier: GPL-2.0 */
/* Text of users, hosts and guests in JSON, which has valid UTF-8 only. */
#ifndef CO_TOOLS_JSON_TEXT_H
#define CO_TOOLS_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* Any bytes as a JSON string: what isn't UTF-8, and a NUL, becomes U+FFFD. */
json_t *json_text(const char *data, size_t n);
/* The same for a string; null for NULL. */
json_t *json_words(const char *s);

#endif
