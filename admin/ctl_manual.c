/* ctl_manual.c -- the table of verbs as a manual page and as words for a shell to complete. */
#include "admin/admin.h"
#include "admin/ctl.h"

/* ---- the manual: mdoc(7) ---- */

/* A line that begins with '.' or '\'' would be a macro, and '\' an escape. */
static void put_mdoc(FILE *to, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", to);
	for (; *text; text++)
		if (*text == '\\')
			fputs("\\e", to);
		else if (*text == '-')
			fputs("\\-", to);
		else
			fputc(*text, to);
}

static void put_verb(FILE *to, const struct ctl_verb *v)
{
	const struct ctl_local *local = ctl_local_of(v);

	fprintf(to, ".It Xo\n.Cm %s\n", v->name);
	if (v->usage[0]) {
		fputs(".No ", to);
		put_mdoc(to, v->usage);
		fputc('\n', to);
	}
	fputs(".Xc\n", to);
	put_mdoc(to, v->help);
	fputc('\n', to);
	if (!local)
		return;
	fputs(".Bd -literal\n", to);
	put_mdoc(to, local->details);
	fputs(".Ed\n", to);
}

static void put_option(FILE *to, const struct ctl_option *o)
{
	fprintf(to, ".It Fl %c , Fl \\-%s", o->letter, o->name);
	fprintf(to, o->value ? " Ar %s\n" : "\n", o->value ? o->value : "");
	put_mdoc(to, o->help);
	fputc('\n', to);
}

void ctl_print_manual(FILE *to)
{
	fputs(".\\\" Printed by embergate ctl\\-manual from its table of verbs.\n"
	      ".Dd November 24, 2026\n.Dt EMBERGATE-CTL 8\n.Os\n"
	      ".Sh NAME\n.Nm embergate-ctl\n.Nd talk to a running embergate\n"
	      ".Sh SYNOPSIS\n.Nm embergate ctl\n.Op Ar options\n.Ar verb ...\n"
	      ".Sh DESCRIPTION\nAsks the gate over its unix socket: whoever may open that may command.\n"
	      "Options stand before the verb or behind it.\n"
	      ".Bl -tag -width indent\n", to);
	for (size_t i = 0; i < ctl_noptions; i++)
		put_option(to, &ctl_options[i]);
	fputs(".El\n.Sh VERBS\n.Bl -tag -width indent\n", to);
	for (size_t i = 0; i < ctl_nverbs; i++)
		put_verb(to, &ctl_verbs[i]);
	fputs(".El\n.Sh ENVIRONMENT\n.Bl -tag -width indent\n"
	      ".It Ev EMBERGATE_SOCKET\nThe gate's socket.\n"
	      ".It Ev NO_COLOR\nWhen it is set, nothing is coloured, on a terminal neither.\n.El\n"
	      ".Sh EXIT STATUS\n.Bl -tag -width xxx -compact\n.It 0\nDone.\n.It 1\nFailed.\n.It 2\nUsage.\n"
	      ".It 3\nNo gate answers.\n.El\n"
	      ".Sh SEE ALSO\n.Xr embergate 8\n", to);
}

/* ---- bash ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || c == '-';
}

/* What one may type of a usage: its words in small letters and its options. "FILE" is a file. */
static void put_words(FILE *to, const char *usage)
{
	for (const char *p = usage; *p;) {
		const char *from = p;

		while (is_letter(*p))
			p++;
		if (p - from > 1 && !(*p >= 'A' && *p <= 'Z')) /* "why:" too, which a word follows */
			fprintf(to, " %.*s%s", (int)(p - from), from, *p == ':' ? ":" : "");
		while (*p && *p != ' ' && *p != '|' && *p != '[' && *p != ']')
			p++;
		while (*p && !is_letter(*p) && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9'))
			p++;
	}
}

void ctl_print_completion(FILE *to)
{
	fputs("_embergate_ctl()\n{\n\tcase $1 in\n", to);
	for (size_t i = 0; i < ctl_nverbs; i++) {
		fprintf(to, "\t%s) words='", ctl_verbs[i].name);
		put_words(to, ctl_verbs[i].usage);
		fprintf(to, "'%s ;;\n", strstr(ctl_verbs[i].usage, "FILE") || strstr(ctl_verbs[i].usage, "DIR") ? " files=1" : "");
	}
	fputs("\t*) words='", to);
	for (size_t i = 0; i < ctl_nverbs; i++)
		fprintf(to, "%s ", ctl_verbs[i].name);
	fputs("' ;;\n\tesac\n\twords+='", to);
	for (size_t i = 0; i < ctl_noptions; i++)
		fprintf(to, " --%s", ctl_options[i].name);
	fputs("'\n}\n", to);
}
