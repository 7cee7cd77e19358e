/* http1_bytes.c -- what a byte may be, and finding those that may not be. */
#include "base/http1_parts.h"
#include <endian.h>

/* Names for the rows below only: t token, u target, h host. */
enum {
	u = BYTE_TARGET,
	tu = BYTE_TOKEN | BYTE_TARGET,
	tuh = BYTE_TOKEN | BYTE_TARGET | BYTE_HOST,
	tuh_ = BYTE_TOKEN | BYTE_TARGET | BYTE_HOST | BYTE_UNDERSCORE,
};

/* clang-format off */
const uint8_t http1_class[256] = {
	[0x20] =
	/*       !    "    #    $    %    &    '    (    )    *    +    ,    -    .    /  */
	0,   tu,  u,   tu & ~u, tu, tu, tu, tu, u,  u,   tu,  tu,  u,   tuh, tuh, u,
	/* 0     1    2    3    4    5    6    7    8    9    :    ;    <    =    >    ?  */
	tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, u,   u,   u,   u,   u,   u,
	/* @     A    B    C    D    E    F    G    H    I    J    K    L    M    N    O  */
	u,   tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh,
	/* P     Q    R    S    T    U    V    W    X    Y    Z    [    \    ]    ^    _  */
	tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, u,   u,   u,   tu,  tuh_,
	/* `     a    b    c    d    e    f    g    h    i    j    k    l    m    n    o  */
	tu,  tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh,
	/* p     q    r    s    t    u    v    w    x    y    z    {    |    }    ~       */
	tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, tuh, u,   tu,  u,   tuh, 0,
};
/* clang-format on */

/* Eight bytes at once: the high bit of each that is below 0x20 or is 0x7f.
 * Borrows run upwards from true hits only, so the lowest bit set is exact. */
static uint64_t controls(uint64_t w)
{
	const uint64_t ones = UINT64_MAX / 255;

	return ((w - ones * 0x20) | ((w ^ ones * 0x7f) - ones)) & ~w & ones << 7;
}

const char *http1_control(const char *at, const char *end)
{
	uint64_t w;

	for (; end - at >= (ptrdiff_t)sizeof w; at += sizeof w) {
		memcpy(&w, at, sizeof w);
		if ((w = controls(le64toh(w))))
			return at + __builtin_ctzll(w) / 8;
	}
	while (at < end && (unsigned char)*at >= 0x20 && *at != 0x7f)
		at++;
	return at;
}

bool http1_is_token(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (!(byte_class(b.at[i]) & BYTE_TOKEN))
			return false;
	return b.len > 0;
}
