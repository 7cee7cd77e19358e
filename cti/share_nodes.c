/* share_nodes.c -- every five seconds a gate says that it lives, looks who else does, and whether its place still holds. */
#include "base/clock.h"
#include "base/log.h"
#include "base/tls.h"
#include "cti/share_parts.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { DEAD_MS = 15000, FORGET_MS = 3600000 };

/* ---- who we are ---- */

static void keep_identity(const struct share *s)
{
	char line[64];
	int fd, n = snprintf(line, sizeof line, "%s %u\n", s->id, s->node);

	if (!s->state_file[0])
		return;
	fd = open(s->state_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		log_warn("%s: cannot be written: this gate has another id after a restart", s->state_file);
	if (fd >= 0)
		close(fd);
}

static bool take_identity(struct share *s, struct bytes line)
{
	struct bytes id;
	uint64_t node;

	line = bytes_sub(line, 0, bytes_index(line, '\n'));
	if (!bytes_cut(&line, ' ', &id) || id.len != 16 || !bytes_u64(line, &node) || node >= DECISION_NODES)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (byte_hex(id.at[i]) < 0)
			return false;
	snprintf(s->id, sizeof s->id, "%.16s", id.at);
	s->node = (unsigned)node;
	return true;
}

void share_identify(struct share *s)
{
	char line[64];
	ssize_t n = -1;
	uint64_t id = s->run;
	int fd;

	if (s->options.state) {
		snprintf(s->state_file, sizeof s->state_file, "%s/gate", s->options.state);
		if ((fd = open(s->state_file, O_RDONLY | O_CLOEXEC)) >= 0) {
			n = read(fd, line, sizeof line);
			close(fd);
		}
	}
	if (n <= 0 || !take_identity(s, (struct bytes){ line, (size_t)n })) {
		tls_random(&id, sizeof id);
		snprintf(s->id, sizeof s->id, "%016llx", (unsigned long long)id);
		s->node = (unsigned)(id % DECISION_NODES);
		keep_identity(s);
	}
	decisions_node(s->decisions, s->node);
}

/* ---- the number: a lease of an hour, renewed with each heartbeat ---- */

static void on_number(void *owner, const struct redis_reply *r);

static struct bytes number_key(const struct share *s, char room[160])
{
	struct text t = text_over(room, 160);

	text_printf(&t, "{%s}:number:%u", s->prefix, s->node);
	return text_bytes(&t);
}

static void claim(struct share *s)
{
	char key[160];

	share_send(s, (struct bytes[]){ BYTES("SET"), number_key(s, key), bytes_of(s->id), BYTES("NX"), BYTES("PX"), BYTES("3600000") }, 6, 1,
		   on_number);
}

static void on_renewed(void *owner, const struct redis_reply *r)
{
	(void)owner;
	(void)r;
}

static void on_holder(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;
	char key[160];

	if (s->closing || !r || r->kind == REDIS_ERROR)
		return;
	if (r->kind == REDIS_TEXT && bytes_eq(r->text, bytes_of(s->id))) {
		s->numbered = true;
		share_send(s, (struct bytes[]){ BYTES("PEXPIRE"), number_key(s, key), BYTES("3600000") }, 3, 1, on_renewed);
	} else if (r->kind == REDIS_TEXT) {
		s->node = (s->node + 1) % DECISION_NODES; /* another's: the next heartbeat tries that */
		s->numbered = false;
		decisions_node(s->decisions, s->node);
		keep_identity(s);
	}
}

static void on_number(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;
	char key[160];

	if (!s->closing && r && r->kind != REDIS_ERROR)
		share_send(s, (struct bytes[]){ BYTES("GET"), number_key(s, key) }, 2, 1, on_holder);
}

/* ---- who else is there ---- */

static void put_node(struct share *s, struct text *t)
{
	frame_put(t, s->node, 2);
	frame_put(t, s->options.config_hash, 8);
	frame_put(t, clock_wall_ms(), 8);
	frame_put(t, (uint64_t)s->lag_ms, 8);
	frame_put(t, (uint64_t)s->skew_ms, 8);
	frame_put_text(t, bytes_of(s->name));
	frame_put_text(t, bytes_of(s->version));
}

static bool take_node(struct bytes body, struct share_node *n)
{
	uint64_t node, lag, skew;
	struct bytes name, version;

	*n = (struct share_node){ 0 };
	if (!frame_take(&body, 2, &node) || !frame_take(&body, 8, &n->config_hash) || !frame_take(&body, 8, &n->seen_ms) ||
	    !frame_take(&body, 8, &lag) || !frame_take(&body, 8, &skew) || !frame_take_text(&body, &name) ||
	    !frame_take_text(&body, &version) || name.len >= sizeof n->name || version.len >= sizeof n->version)
		return false;
	n->node = (unsigned)node;
	n->lag_ms = (int64_t)lag;
	n->skew_ms = (int64_t)skew;
	memcpy(n->name, name.at, name.len);
	memcpy(n->version, version.at, version.len);
	return true;
}

/* Times of others are told by their clocks; by how much those differ from the server's they have said. */
static void take_entry(struct share *s, struct bytes id, struct bytes frame)
{
	struct share_frame f;
	struct share_node n;
	uint64_t now_ms = clock_wall_ms(), age_ms;

	if (id.len >= sizeof n.id || s->nnodes == SHARE_NODES || !share_opened(s, frame, id, FRAME_NODE, &f) || !take_node(f.body, &n))
		return;
	n.skew_ms -= s->skew_ms;
	n.seen_ms -= (uint64_t)n.skew_ms;
	age_ms = now_ms > n.seen_ms ? now_ms - n.seen_ms : 0;
	if (age_ms > FORGET_MS)
		share_send(s, (struct bytes[]){ BYTES("HDEL"), share_key(s, KEY_NODES), id }, 3, 1, on_renewed);
	if (age_ms > FORGET_MS)
		return;
	n.up = age_ms <= DEAD_MS;
	memcpy(n.id, id.at, id.len);
	n.self = bytes_eq(id, bytes_of(s->id));
	s->nodes[s->nnodes++] = n;
}

static void on_nodes(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	if (s->closing || !r || r->kind != REDIS_ARRAY)
		return;
	s->nnodes = 0;
	for (size_t i = 0; i + 1 < r->n; i += 2)
		take_entry(s, r->items[i].text, r->items[i + 1].text);
}

size_t share_nodes(const struct share *s, struct share_node *out, size_t max)
{
	size_t n = s->nnodes < max ? s->nnodes : max;

	if (n)
		memcpy(out, s->nodes, n * sizeof *out);
	return n;
}

size_t share_nodes_up(const struct share *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nnodes; i++)
		n += s->nodes[i].up;
	return n;
}

/* ---- the heartbeat ---- */

/* [seconds, microseconds], half-way between question and answer */
static void on_time(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;
	uint64_t sec, us, now_ms = clock_wall_ms();

	if (s->closing || !r || r->kind != REDIS_ARRAY || r->n != 2 || !bytes_u64(r->items[0].text, &sec) || !bytes_u64(r->items[1].text, &us))
		return;
	s->skew_ms = (int64_t)((s->asked_ms + now_ms) / 2) - (int64_t)(sec * 1000 + us / 1000);
}

static void on_state(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	if (s->closing || s->state != SHARE_FOLLOWING || s->reading_turn != s->turn || !r)
		return;
	if (!share_judge(s, r, s->asked_at) || outbox_lost(s->log) != s->lost_seen)
		share_again(s);
}

static void say(struct share *s)
{
	char body[256], sealed[256 + SHARE_FRAME_MORE];
	struct text t = text_over(body, sizeof body);

	put_node(s, &t);
	share_send(s, (struct bytes[]){ BYTES("HSET"), share_key(s, KEY_NODES), bytes_of(s->id),
		   share_sealed(s, sealed, sizeof sealed, bytes_of(s->id), FRAME_NODE, text_bytes(&t)) }, 4, 1, on_renewed);
	share_send(s, (struct bytes[]){ BYTES("HGETALL"), share_key(s, KEY_NODES) }, 2, 1, on_nodes);
}

void share_beat(void *owner)
{
	struct share *s = owner;

	deadline_set(s->loop, &s->beat, SHARE_BEAT_MS, share_beat, s);
	graves_sweep(s->graves, clock_wall_ms());
	if (!atomic_load(&s->up))
		return;
	s->asked_ms = clock_wall_ms();
	s->asked_at = s->at;
	share_send(s, (struct bytes[]){ BYTES("TIME") }, 1, 0, on_time);
	if (s->state == SHARE_FOLLOWING)
		share_send(s, (struct bytes[]){ BYTES("XINFO"), BYTES("STREAM"), share_key(s, KEY_LOG) }, 3, 2, on_state);
	share_ask_era(s);
	claim(s);
	say(s);
	share_lead(s);
	share_flush(s);
}
