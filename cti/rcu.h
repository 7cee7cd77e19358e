/* rcu.h -- readers that take no lock beside a writer that frees: liburcu's "bp" flavour, which no thread must register for.
 *
 * A reader enters, loads a pointer (acquire), and is done with what it points at before it leaves. Whoever has replaced such
 * a pointer hands the old one to rcu_retire(), which returns at once; it is freed on liburcu's thread when no reader can
 * have it any more. liburcu is not built for ThreadSanitizer, which is told here what is ordered by it. */
#ifndef CTI_RCU_H
#define CTI_RCU_H
/* Inline a reader costs 1 ns instead of 7. Its records are aligned less than their type says, which a sanitizer minds. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define _LGPL_SOURCE
#endif
#include <stdint.h>
#include <urcu-bp.h>

#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *);
void __tsan_release(void *);
static inline void rcu_order_release(void *at) { __tsan_release(at); }
static inline void rcu_order_acquire(void *at) { __tsan_acquire(at); }
#else
static inline void rcu_order_release(void *at) { (void)at; }
static inline void rcu_order_acquire(void *at) { (void)at; }
#endif

/* All readers leave by it: any address that is the same in every file. */
static inline void *rcu_gate(void)
{
	return (void *)(uintptr_t)&urcu_bp_call_rcu;
}

static inline void rcu_enter(void)
{
	urcu_bp_read_lock();
}

static inline void rcu_leave(void)
{
	rcu_order_release(rcu_gate());
	urcu_bp_read_unlock();
}

static inline void rcu_retire(struct rcu_head *h, void (*gone)(struct rcu_head *))
{
	rcu_order_release(h);
	urcu_bp_call_rcu(h, gone);
}

/* Until no reader has what was replaced before; for who may wait. */
static inline void rcu_wait(void)
{
	urcu_bp_synchronize_rcu();
	rcu_order_acquire(rcu_gate());
}

/* The first that `gone` does. */
static inline void rcu_retired(struct rcu_head *h)
{
	rcu_order_acquire(h);
	rcu_order_acquire(rcu_gate());
}
#endif
