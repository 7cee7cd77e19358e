/* embedded.c -- the pack that build.mjs made, in the program's read-only data. */
#include "admin/ui/embedded.h"

extern const char ui_pack[];

__asm__(".pushsection .rodata\n"
	".global ui_pack\n"
	".hidden ui_pack\n"
	"ui_pack:\n"
	".incbin \"" UI_PACK "\"\n"
	".popsection\n");

static const struct ui_file files[] = {
#include "ui_files.inc"
};

const struct ui_file *ui_file_find(struct bytes path)
{
	for (size_t i = 0; i < nelems(files); i++)
		if (bytes_eq(path, files[i].path))
			return &files[i];
	return NULL;
}

struct bytes ui_file_packed(const struct ui_file *f)
{
	return (struct bytes){ ui_pack + f->at, f->packed };
}
