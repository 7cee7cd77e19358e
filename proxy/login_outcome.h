/* login_outcome.h -- how an attempt to log in went. */
#ifndef PROXY_LOGIN_OUTCOME_H
#define PROXY_LOGIN_OUTCOME_H
enum login_outcome { LOGIN_UNKNOWN, LOGIN_FAILED, LOGIN_SUCCEEDED, LOGIN_BY_MARKER /* the page will tell */ };
#endif
