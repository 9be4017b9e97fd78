/* stack: stacks for tasks, each above a guard page, pooled per loop. */
#include "loop/loop_internal.h"

#include "base/arena.h"

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_SIZE (512 * 1024)
#else
#define STACK_SIZE (128 * 1024)
#endif
#define GUARD     4096
#define KEEP_MAX  256
#define KEEP_WARM 64

struct stack *stack_take(struct loop *loop)
{
	struct list_node *n = list_pop_front(&loop->free_stacks);

	if (n) {
		loop->n_free_stacks--;
		return CONTAINER_OF(n, struct stack, node);
	}
	struct stack *s = mem_new(struct stack);
	char *p = mmap(NULL, GUARD + STACK_SIZE, PROT_READ | PROT_WRITE,
	        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ensure(p != MAP_FAILED);
	ensure(mprotect(p, GUARD, PROT_NONE) == 0);
	s->base = p + GUARD;
	s->size = STACK_SIZE;
	return s;
}

void stack_free(struct stack *s)
{
	munmap(s->base - GUARD, GUARD + s->size);
	mem_free(s);
}

void stack_give(struct loop *loop, struct stack *s)
{
	if (loop->n_free_stacks >= KEEP_MAX) {
		stack_free(s);
		return;
	}
	if (loop->n_free_stacks >= KEEP_WARM)
		madvise(s->base, s->size, MADV_DONTNEED);
	loop->n_free_stacks++;
	list_push_front(&loop->free_stacks, &s->node);
}
