/* seclang_finish.c -- what refers to rules, when all are there: skips, removals,
 * changes of targets and actions, ctl. */
#include "rules/ruleset.h"
#include "rules/seclang_load.h"

/* ---- skipAfter, skip ---- */

static bool to_marker(struct seclang *s, const struct seclang_skip *skip, uint32_t *group)
{
	const struct rule *from = &s->ir->rules[skip->rule];

	for (size_t i = 0; i < s->nmarkers; i++)
		if (s->markers[i].group > from->first && bytes_eq(s->markers[i].name, skip->marker)) {
			*group = s->markers[i].group;
			return true;
		}
	for (size_t i = skip->rule + 1u; i < s->ir->nrules; i++) /* ModSecurity takes a rule's id as well */
		if (bytes_eq(bytes_of(s->ir->rules[i].info.id), skip->marker)) {
			*group = s->ir->rules[i].first + 1;
			return true;
		}
	return seclang_fail(s, "skipAfter:%.*s: there is no such marker after it", BYTES_ARG(bytes_sub(skip->marker, 0, 60)));
}

/* Rules of the same phase. */
static uint32_t over(const struct ir *ir, const struct seclang_skip *skip)
{
	uint32_t left = skip->count, i = skip->rule + 1;

	for (; i < ir->nrules && left; i++)
		left -= ir->rules[i].ordered && ir->rules[i].phase == ir->rules[skip->rule].phase;
	return i < ir->nrules ? ir->rules[i].first : (uint32_t)ir->ngroups;
}

static bool skips(struct seclang *s)
{
	for (size_t i = 0; i < s->nskips; i++) {
		const struct seclang_skip *skip = &s->skips[i];
		uint32_t *to = &s->ir->rules[skip->rule].actions.skip_to;

		s->place = skip->place;
		if (!skip->marker.at)
			*to = over(s->ir, skip);
		else if (!to_marker(s, skip, to))
			return false;
	}
	return true;
}

/* ---- SecRuleRemove*, SecRuleUpdate* ---- */

static enum select select_by(struct bytes directive)
{
	return bytes_ends(directive, BYTES("Tag")) || bytes_ends(directive, BYTES("tag")) ? SELECT_TAG
	       : bytes_ends(directive, BYTES("Msg")) || bytes_ends(directive, BYTES("msg")) ? SELECT_MSG
											    : SELECT_ID;
}

static bool remove_rules(struct seclang *s, const struct seclang_directive *d)
{
	for (size_t i = 0; i < d->nargs; i++) {
		struct bytes rest = d->args[i], one;

		while (bytes_cut(&rest, ',', &one)) {
			struct selection which;

			if (!seclang_selection(s, select_by(d->name), one, &which))
				return false;
			for (size_t k = 0; k < s->ir->nrules; k++)
				s->ir->rules[k].removed |= selection_has(&which, &s->ir->rules[k]);
		}
	}
	return true;
}

static bool same_target(const struct target *a, const struct target *b)
{
	return a->zone == b->zone && a->count == b->count && a->slot == b->slot && bytes_eq(a->name, b->name) && !a->regex == !b->regex;
}

/* Adds targets, exceptions among them; or, with `instead`, puts them in the place of those. */
static bool change_targets(struct seclang *s, struct condition *c, const struct target *more, size_t n, const struct target *instead,
			   size_t ninstead)
{
	struct target *all = arena_get(s->ir->arena, (c->ntargets + n) * sizeof *all);
	size_t kept = 0;

	if (!all)
		return seclang_short_of_memory(s);
	for (size_t i = 0; i < c->ntargets; i++) {
		bool gone = false;

		for (size_t k = 0; k < ninstead; k++)
			gone |= same_target(&c->targets[i], &instead[k]);
		if (!gone)
			all[kept++] = c->targets[i];
	}
	memcpy(all + kept, more, n * sizeof *all);
	c->targets = all;
	c->ntargets = kept + n;
	return true;
}

/* "942100", or "942100:1": the second link of its chain. */
static bool which_link(struct seclang *s, struct bytes *text, size_t *link)
{
	struct bytes offset = *text;
	uint64_t n = 0;

	if (bytes_index(*text, ':') == SIZE_MAX)
		return true;
	bytes_cut(&offset, ':', text);
	if (!bytes_u64(offset, &n) || n > 64)
		return seclang_fail(s, "'%.*s': a number is wanted behind the colon", BYTES_ARG(bytes_sub(offset, 0, 60)));
	*link = (size_t)n;
	return true;
}

static bool update_targets(struct seclang *s, const struct seclang_directive *d)
{
	struct bytes rules = d->args[0];
	struct target *more, *instead = NULL;
	size_t n, ninstead = 0, link = 0;
	struct selection which;
	enum select by = select_by(d->name);

	if (by == SELECT_ID && !which_link(s, &rules, &link))
		return false;
	if (!seclang_selection(s, by, rules, &which) || !seclang_targets(s, d->args[1], &more, &n) ||
	    (d->nargs > 2 && !seclang_targets(s, d->args[2], &instead, &ninstead)))
		return false;
	for (size_t i = 0; i < s->ir->nrules; i++) {
		struct group *g = &s->ir->groups[s->ir->rules[i].first];

		if (selection_has(&which, &s->ir->rules[i]) && link < g->n && g->at[link].op &&
		    !change_targets(s, &g->at[link], more, n, instead, ninstead))
			return false;
	}
	return true;
}

/* New actions are added to the rule's own; a new disruptive one replaces the old, new transformations the old ones. */
static bool update_actions(struct seclang *s, const struct seclang_directive *d)
{
	struct bytes rules = d->args[0];
	struct selection which;
	size_t link = 0;

	if (!which_link(s, &rules, &link) || !seclang_selection(s, SELECT_ID, rules, &which))
		return false;
	for (size_t i = 0; i < s->ir->nrules; i++) {
		struct rule *rule = &s->ir->rules[i];
		struct group *g = &s->ir->groups[rule->first];
		struct seclang_rule r = { .rule = link ? NULL : rule };

		if (!selection_has(&which, rule) || link >= g->n)
			continue;
		r.link = &g->links[link];
		r.condition = &g->at[link];
		r.tags_cap = rule->ntags;
		if (!seclang_do_actions(s, d->args[1], &r))
			return false;
		if (r.chain)
			return seclang_fail(s, "SecRuleUpdateActionById: a chain cannot be begun or ended");
		if (r.block && !link)
			rule->actions.remedy = s->defaults[rule->phase].set ? s->defaults[rule->phase].actions.remedy : REMEDY_LOG;
	}
	return true;
}

static bool updates(struct seclang *s)
{
	for (size_t i = 0; i < s->nupdates; i++) {
		const struct seclang_directive *d = &s->updates[i];

		s->place = d->place;
		if (!(bytes_starts_nocase(d->name, BYTES("SecRuleRemove"))	   ? remove_rules
		      : bytes_eq_nocase(d->name, BYTES("SecRuleUpdateActionById")) ? update_actions
										   : update_targets)(s, d))
			return false;
	}
	return true;
}

/* ---- ctl ---- */

static bool groups_of(struct seclang *s, struct change *c)
{
	uint64_t *bits = arena_get(s->ir->arena, (s->ir->ngroups / 64 + 1) * sizeof *bits);

	if (!bits)
		return seclang_short_of_memory(s);
	for (size_t i = 0; i < s->ir->ngroups; i++)
		if (selection_has(&c->rules, &s->ir->rules[s->ir->groups[i].rule]))
			bit_set(bits, i);
	c->groups = bits;
	return true;
}

static bool changes(struct seclang *s)
{
	for (size_t i = 0; i < s->ir->ngroups; i++) {
		struct group *g = &s->ir->groups[i];

		for (size_t k = 0; g->links && k < g->n; k++)
			for (size_t m = 0; m < g->links[k].nchanges; m++)
				if (!groups_of(s, &g->links[k].changes[m]))
					return false;
	}
	return true;
}

bool seclang_finish(struct seclang *s)
{
	return skips(s) && updates(s) && changes(s);
}
