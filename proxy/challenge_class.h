/* challenge_class.h -- whom a challenge would meet: a page is for people only. */
#ifndef PROXY_CHALLENGE_CLASS_H
#define PROXY_CHALLENGE_CLASS_H
#include "base/request.h"

enum challenge_class {
	CLASS_NAVIGATION, /* a browser goes somewhere: it gets the page */
	CLASS_PROGRAM,    /* a script of a page, an app: it gets a field that says where to go */
	CLASS_MACHINE,    /* a feed reader, git, a package manager: it can do neither, and is slowed down */
};

/* By Fetch Metadata where the browser sends it, else by Accept and method. A
 * machine is known by what it asks for and, together with that, by what it says
 * it is: either alone anybody could have. */
enum challenge_class challenge_class_of(const struct request *);
#endif
