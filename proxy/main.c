/* main.c -- the command line.
 *
 *   embergate --upstream URL      the gate with no file at all
 *   embergate run -c FILE         the gate, configured
 *   embergate check -c FILE       reads everything, serves nothing
 *   embergate check --convert FILE...  what was written for ModSecurity, as YAML
 *   embergate ctl VERB ...        talks to a running gate */
#include "admin/admin.h"
#include "base/log.h"
#include "proxy/convert.h"
#include "proxy/options.h"
#include "proxy/site.h"

/* ---- options ---- */

static const struct flag {
	const char *name, *value; /* value: what it takes, for the help; NULL: nothing */
	size_t offset;            /* of the const char * or bool in struct options */
	const char *help;
} flags[] = {
	{ "--upstream", "URL",  offsetof(struct options, quick.upstream), "forward to this server, with no configuration file" },
	{ "--host",     "NAME", offsetof(struct options, quick.host),     "answer for this host name only" },
	{ "--listen",   "ADDR", offsetof(struct options, quick.listen),   "listen here (default :8080)" },
	{ "--admin",    "ADDR", offsetof(struct options, quick.admin),    "dashboard, API, metrics and probes here (default 127.0.0.1:9180), or off" },
	{ "--state",    "DIR",  offsetof(struct options, quick.state),    "keep state here (default ./.embergate)" },
	{ "--detect",   NULL,   offsetof(struct options, quick.detect),   "only log what would be blocked" },
	{ "--demo",     NULL,   offsetof(struct options, demo),           "in front of a small built-in shop" },
	{ "--ui-dir",   "DIR",  offsetof(struct options, ui_dir),         "the dashboard from this directory, while working on it" },
	{ "-c",         "FILE", offsetof(struct options, config),         "the configuration file (run, check)" },
};

static int usage(FILE *out)
{
	fprintf(out, "embergate %s: a web application's front door\n\n"
		     "  embergate --upstream URL [options]   the gate, with no file\n"
		     "  embergate --demo                     the gate, in front of a small shop\n"
		     "  embergate run -c FILE                the gate, configured\n"
		     "  embergate check -c FILE              reads everything, serves nothing; exit 0, 1 or 2\n"
		     "  embergate check --convert FILE...    ModSecurity's crs-setup.conf and exclusions, as YAML\n"
		     "  embergate ctl VERB ...               talks to a running gate; `embergate ctl help`\n"
		     "  embergate config-docs|config-schema  the configuration's manual, or JSON Schema\n"
		     "  embergate ctl-manual|completion      embergate-ctl(8), or words for bash to complete\n\n",
		EMBERGATE_VERSION);
	for (size_t i = 0; i < nelems(flags); i++)
		fprintf(out, "  %-10s %-5s %s\n", flags[i].name, flags[i].value ? flags[i].value : "",
			flags[i].help);
	return out == stdout ? EXIT_OK : EXIT_USAGE;
}

/* For bash: words of the command line, `ctl` and its verbs. */
static void print_completion(FILE *to)
{
	ctl_print_completion(to);
	fputs("\n_embergate()\n{\n\tlocal current=${COMP_WORDS[COMP_CWORD]} words='' files='' verb='' i\n"
	      "\tcase ${COMP_WORDS[1]} in\n"
	      "\tctl)\n\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	      "\t\t\tcase ${COMP_WORDS[i]} in\n\t\t\t-s | -o | --socket | --output) ((i++)) ;;\n\t\t\t-*) ;;\n"
	      "\t\t\t*) verb=${COMP_WORDS[i]}; break ;;\n\t\t\tesac\n\t\tdone\n\t\t_embergate_ctl \"$verb\" ;;\n"
	      "\trun | check) words='-c --convert' files=1 ;;\n"
	      "\t*) words='run check ctl config-docs config-schema ctl-manual completion", to);
	for (size_t i = 0; i < nelems(flags); i++)
		fprintf(to, " %s", flags[i].name);
	fputs("' ;;\n\tesac\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\"; [[ $files ]] && compgen -f -- \"$current\")\n"
	      "}\ncomplete -o filenames -F _embergate embergate\n", to);
}

static const struct flag *flag_find(const char *name, size_t len)
{
	for (size_t i = 0; i < nelems(flags); i++)
		if (strlen(flags[i].name) == len && strncmp(flags[i].name, name, len) == 0)
			return &flags[i];
	return NULL;
}

/* "--name VALUE" and "--name=VALUE". */
static bool options_parse(char **argv, struct options *o)
{
	for (; *argv; argv++) {
		const char *equals = argv[0][0] == '-' ? strchr(*argv, '=') : NULL;
		const struct flag *f = flag_find(*argv, equals ? (size_t)(equals - *argv) : strlen(*argv));
		void *to;

		if (!f || (equals && !f->value)) {
			fprintf(stderr, "embergate: unknown option '%s'; `embergate --help` lists them\n", *argv);
			return false;
		}
		to = (char *)o + f->offset;
		if (!f->value) {
			*(bool *)to = true;
			continue;
		}
		if (!equals && !argv[1]) {
			fprintf(stderr, "embergate: %s needs a value (%s)\n", f->name, f->value);
			return false;
		}
		*(const char **)to = equals ? equals + 1 : *++argv;
	}
	return true;
}

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	log_warn("%s", text);
}

struct config *options_config(const struct options *o, const struct config_how *how, struct err *err)
{
	static const struct config_how logged = { .warn = warn };

	how = how ? how : &logged;
	return o->config ? config_load(o->config, how, err) : config_quick(&o->quick, how, err);
}

/* ---- check ---- */

static int check(const struct options *o)
{
	static struct process p; /* reachable to the last, for leak checks */
	struct err err = { .side = SIDE_SELF };
	struct config *c = NULL;
	struct site *s = NULL;

	p = (struct process){ .servers = servers_new(), .metrics = metrics_new(1), .dry = true };
	if (p.servers && p.metrics)
		c = options_config(o, NULL, &err);
	if (c)
		s = site_build(&p, c, &err);
	if (!s) {
		fprintf(stderr, "%s\n", err.text);
		return err.side == SIDE_CONFIG ? EXIT_USAGE : EXIT_FAILED;
	}
	printf("%s: good: %zu apps, %zu listeners\n", o->config ? o->config : "command line", s->napps,
	       s->nlistens);
	site_release(s);
	return EXIT_OK;
}

/* ---- run ---- */

static int serve(char **argv, struct options *o)
{
	const char *fd = getenv("EMBERGATE_SUPERVISOR");
	uint64_t n;

	if (!fd)
		return supervisor_main(argv);
	unsetenv("EMBERGATE_SUPERVISOR");
	return bytes_u64(bytes_of(fd), &n) ? gate_main(o, (int)n) : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "--help";
	struct options o = { 0 };

	if (strcmp(verb, "ctl") == 0)
		return ctl_main(argc - 1, argv + 1);
	if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || strcmp(verb, "help") == 0)
		return usage(argc > 1 ? stdout : stderr);
	if (strcmp(verb, "--version") == 0) {
		printf("embergate %s\n", EMBERGATE_VERSION);
		return EXIT_OK;
	}
	if (strcmp(verb, "config-docs") == 0 || strcmp(verb, "config-schema") == 0) {
		strcmp(verb, "config-docs") == 0 ? config_print_docs(stdout) : config_print_schema(stdout);
		return EXIT_OK;
	}
	if (strcmp(verb, "ctl-manual") == 0) {
		ctl_print_manual(stdout);
		return EXIT_OK;
	}
	if (strcmp(verb, "completion") == 0) {
		print_completion(stdout);
		return EXIT_OK;
	}
	if (strcmp(verb, "check") == 0 && argc > 2 && strcmp(argv[2], "--convert") == 0)
		return argc > 3 ? convert_main(argv + 3) : usage(stderr);
	if (!options_parse(argv + (verb[0] == '-' ? 1 : 2), &o))
		return EXIT_USAGE;
	if (strcmp(verb, "check") == 0)
		return o.config || o.quick.upstream ? check(&o) : usage(stderr);
	if (verb[0] != '-' && strcmp(verb, "run") != 0) {
		fprintf(stderr, "embergate: unknown command '%s'; `embergate --help` lists them\n", verb);
		return EXIT_USAGE;
	}
	if (!o.config && !o.quick.upstream && !o.demo)
		return usage(stderr);
	return serve(argv, &o);
}
