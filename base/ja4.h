/* ja4.h -- JA4, FoxIO's fingerprint of a TLS client: what it offers, in an order of its own or not.
 *
 *   t13d1516h2_8daaf6152771_e5627efa2ab1
 *   | | ||  |  |            ` extensions without names and protocols, sorted; signature algorithms, in order
 *   | | ||  |  ` ciphers, sorted
 *   | | ||  ` first protocol (ALPN): its first and last character
 *   | | |` how many ciphers and extensions, 99 at most
 *   | | ` a name was asked for, or none ("i")
 *   | ` highest version
 *   ` over TCP
 *
 * Source: github.com/FoxIO-LLC/ja4, technical_details/JA4.md (BSD-3; the other members of that family are not). Values that
 * mean nothing (GREASE, RFC 8701) are nowhere counted. One program has a few fingerprints: with a name and without, new and
 * resumed. Thousands of people share a browser's, and a program may offer what it likes: it groups, it proves nothing. */
#ifndef BASE_JA4_H
#define BASE_JA4_H
#include "base/bytes.h"

enum {
	JA4_LEN = 36,
	JA4_LIST = 512, /* entries of a list that count; IANA knows some 350 ciphers, and nobody offers most of them */
};

/* `hello`: a ClientHello without the four bytes of its handshake header (RFC 8446 4.1.2). False, and an empty text: it is
 * none, or memory is out. */
bool ja4_of(struct bytes hello, char out[JA4_LEN + 1]);
#endif
