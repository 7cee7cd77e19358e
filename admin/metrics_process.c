/* metrics_process.c -- process_*, as every Prometheus client library names them. */
#include "admin/metrics_cells.h"
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static void put(struct text *t, const char *name, const char *type, const char *help, double value)
{
	text_printf(t, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %.15g\n", name, help, name, type, name, value);
}

static double seconds(struct timeval v)
{
	return (double)v.tv_sec + (double)v.tv_usec / 1e6;
}

/* Field 22 of /proc/self/stat (proc(5)); the name in field 2 may hold blanks
 * and parentheses, so counting begins behind the last one. */
static double start_ticks(void)
{
	char line[1024], *at;
	unsigned long long ticks = 0;
	FILE *f = fopen("/proc/self/stat", "re");

	if (f && fgets(line, sizeof line, f) && (at = strrchr(line, ')')) != NULL) {
		at++; /* the blank in front of field 3 */
		for (int field = 3; field < 22 && at; field++)
			at = strchr(at + 1, ' ');
		if (at)
			ticks = strtoull(at + 1, NULL, 10);
	}
	if (f)
		fclose(f);
	return (double)ticks;
}

static double start_time(void)
{
	struct timespec wall, boot;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (double)(wall.tv_sec - boot.tv_sec) + (double)(wall.tv_nsec - boot.tv_nsec) / 1e9 +
	       start_ticks() / (double)sysconf(_SC_CLK_TCK);
}

static void put_memory(struct text *t)
{
	unsigned long pages = 0, resident = 0;
	long page = sysconf(_SC_PAGESIZE);
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return;
	if (fscanf(f, "%lu %lu", &pages, &resident) == 2) {
		put(t, "virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", (double)pages * (double)page);
		put(t, "resident_memory_bytes", "gauge", "Resident memory size in bytes.", (double)resident * (double)page);
	}
	fclose(f);
}

static void put_descriptors(struct text *t)
{
	DIR *d = opendir("/proc/self/fd");
	struct rlimit max;
	long open = -3; /* ".", ".." and the directory itself */

	if (d) {
		while (readdir(d))
			open++;
		closedir(d);
		put(t, "open_fds", "gauge", "Number of open file descriptors.", (double)open);
	}
	if (getrlimit(RLIMIT_NOFILE, &max) == 0)
		put(t, "max_fds", "gauge", "Maximum number of open file descriptors.", (double)max.rlim_cur);
}

void metrics_print_process(struct text *t)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	put(t, "cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
	    seconds(use.ru_utime) + seconds(use.ru_stime));
	put(t, "start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", start_time());
	put_memory(t);
	put_descriptors(t);
}
