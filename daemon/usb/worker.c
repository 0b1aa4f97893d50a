/* SPDX-License-Identifier: MIT */
/* Threads that take jobs from one queue and put them into another, and an eventfd that tells the
 * loop. */
#include "config.h"

#include "usb/worker.h"

#include <event2/event.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK_BYTES (256U * 1024)

STAILQ_HEAD(job_queue, worker_job);

struct worker {
	int wake_fd; /* the loop's: threads add to it, the loop reads it */
	struct event *wake;
	pthread_t threads[WORKER_THREADS_MAX];
	unsigned thread_count; /* the loop's */
	/* Under the lock: */
	pthread_mutex_t lock;
	pthread_cond_t work_to_do;
	struct job_queue todo, finished;
	unsigned idle;
	bool stopping;
};

static struct worker_job *
pop(struct job_queue *q)
{
	struct worker_job *job = STAILQ_FIRST(q);

	if (job != NULL)
		STAILQ_REMOVE_HEAD(q, link);
	return job;
}

static void
tell_loop(struct worker *w)
{
	const uint64_t one = 1;
	ssize_t n = write(w->wake_fd, &one, sizeof(one));

	(void)n; /* WHY: it fails only when the count would overflow, and then the loop is being
		    woken */
}

static void *
serve(void *ctx)
{
	struct worker *w = ctx;
	struct worker_job *job;

	(void)pthread_mutex_lock(&w->lock); /* fails for misuse only */
	for (;;) {
		job = pop(&w->todo);
		if (job == NULL && w->stopping)
			break;
		if (job == NULL) {
			w->idle++;
			(void)pthread_cond_wait(&w->work_to_do, &w->lock); /* as above */
			w->idle--;
			continue;
		}
		(void)pthread_mutex_unlock(&w->lock); /* as above */
		job->run(job);
		(void)pthread_mutex_lock(&w->lock); /* as above */
		STAILQ_INSERT_TAIL(&w->finished, job, link);
		tell_loop(w);
	}
	(void)pthread_mutex_unlock(&w->lock); /* as above */
	return NULL;
}

static void
hand_back(struct worker *w)
{
	struct worker_job *job;

	for (;;) {
		(void)pthread_mutex_lock(&w->lock); /* as above */
		job = pop(&w->finished);
		(void)pthread_mutex_unlock(&w->lock); /* as above */
		if (job == NULL)
			return;
		job->done(job);
	}
}

static void
on_wake(evutil_socket_t fd, short what, void *ctx)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)what;
	(void)n; /* nothing to read: hand_back() finds nothing */
	hand_back(ctx);
}

int
worker_new(struct event_base *base, struct worker **ret_worker)
{
	struct worker *w = calloc(1, sizeof(*w));
	int r = -ENOMEM;

	if (w == NULL)
		return r;
	STAILQ_INIT(&w->todo);
	STAILQ_INIT(&w->finished);
	(void)pthread_mutex_init(&w->lock, NULL);      /* glibc: cannot fail */
	(void)pthread_cond_init(&w->work_to_do, NULL); /* glibc: cannot fail */
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake_fd < 0) {
		r = -errno;
		goto out;
	}
	w->wake = event_new(base, w->wake_fd, EV_READ | EV_PERSIST, on_wake, w);
	if (w->wake == NULL || event_add(w->wake, NULL) < 0)
		goto out;
	*ret_worker = w;
	w = NULL; /* the caller's now */
	r = 0;
out:
	worker_free(w);
	return r;
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock); /* fails for misuse only */
	w->stopping = true;
	(void)pthread_cond_broadcast(&w->work_to_do); /* cannot fail */
	(void)pthread_mutex_unlock(&w->lock);	      /* as above */
	for (unsigned i = 0; i < w->thread_count; i++)
		(void)pthread_join(w->threads[i], NULL); /* fails for misuse only */
	hand_back(w);
	if (w->wake != NULL)
		event_free(w->wake);
	if (w->wake_fd >= 0)
		(void)close(w->wake_fd);
	(void)pthread_cond_destroy(&w->work_to_do); /* no thread is left to wait */
	(void)pthread_mutex_destroy(&w->lock);	    /* or to hold it */
	free(w);
}

/* One thread more; signals stay with the loop. */
static int
add_thread(struct worker *w)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int r;

	if (pthread_attr_init(&attr) != 0)
		return -ENOMEM;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES); /* refused: the default will do */
	(void)sigfillset(&all);				     /* cannot fail */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);   /* cannot fail */
	r = pthread_create(&w->threads[w->thread_count], &attr, serve, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL); /* cannot fail */
	(void)pthread_attr_destroy(&attr);		   /* cannot fail */
	if (r == 0)
		w->thread_count++;
	return -r;
}

int
worker_submit(struct worker *w, struct worker_job *job)
{
	bool all_busy;

	(void)pthread_mutex_lock(&w->lock); /* fails for misuse only */
	all_busy = w->idle == 0 || !STAILQ_EMPTY(&w->todo);
	(void)pthread_mutex_unlock(&w->lock); /* as above */
	if (all_busy && w->thread_count < WORKER_THREADS_MAX && add_thread(w) < 0 &&
	    w->thread_count == 0)
		return -EAGAIN;
	(void)pthread_mutex_lock(&w->lock); /* as above */
	STAILQ_INSERT_TAIL(&w->todo, job, link);
	(void)pthread_cond_signal(&w->work_to_do); /* cannot fail */
	(void)pthread_mutex_unlock(&w->lock);	   /* as above */
	return 0;
}
