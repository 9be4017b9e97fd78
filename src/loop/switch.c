/*
 * switch: from the loop's stack to a task's and back: a few instructions for each CPU, and the
 * words that tell the sanitizers about it.
 */
#include "loop/loop_internal.h"

#if defined(__SANITIZE_ADDRESS__)
#define SWITCH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SWITCH_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define SWITCH_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define SWITCH_TSAN 1
#endif

#ifdef SWITCH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SWITCH_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

/* Saves the callee-saved registers and the stack pointer in *save, and takes up `load`. */
void switch_stacks(void **save, void *load);
void switch_entry(void);
void switch_first(struct task *t);

#if defined(__x86_64__)
__asm__(".text\n.globl switch_stacks\n.hidden switch_stacks\n.type switch_stacks,@function\n"
        "switch_stacks:\n"
        "	pushq %rbp\n	pushq %rbx\n	pushq %r12\n"
        "	pushq %r13\n	pushq %r14\n	pushq %r15\n"
        "	movq %rsp, (%rdi)\n"
        "	movq %rsi, %rsp\n"
        "	popq %r15\n	popq %r14\n	popq %r13\n"
        "	popq %r12\n	popq %rbx\n	popq %rbp\n"
        "	ret\n"
        ".globl switch_entry\n.hidden switch_entry\n.type switch_entry,@function\n"
        "switch_entry:\n"
        "	movq %r12, %rdi\n"
        "	xorl %ebp, %ebp\n"
        "	call switch_first\n"
        "	ud2\n");

static void *first_frame(struct task *t, char *top)
{
	void **sp = (void **)top;

	*--sp = NULL; /* two words keep the alignment the ABI asks for */
	*--sp = NULL;
	*--sp = (void *)switch_entry; /* return address */
	*--sp = NULL;                 /* rbp */
	*--sp = NULL;                 /* rbx */
	*--sp = t;                    /* r12 */
	*--sp = NULL;                 /* r13 */
	*--sp = NULL;                 /* r14 */
	*--sp = NULL;                 /* r15 */
	return sp;
}
#elif defined(__aarch64__)
__asm__(".text\n.globl switch_stacks\n.hidden switch_stacks\n.type switch_stacks,%function\n"
        "switch_stacks:\n"
        "	sub sp, sp, #160\n"
        "	stp x19, x20, [sp]\n	stp x21, x22, [sp, #16]\n	stp x23, x24, [sp, #32]\n"
        "	stp x25, x26, [sp, #48]\n	stp x27, x28, [sp, #64]\n	stp x29, x30, [sp, "
        "#80]\n"
        "	stp d8, d9, [sp, #96]\n	stp d10, d11, [sp, #112]\n"
        "	stp d12, d13, [sp, #128]\n	stp d14, d15, [sp, #144]\n"
        "	mov x9, sp\n	str x9, [x0]\n	mov sp, x1\n"
        "	ldp x19, x20, [sp]\n	ldp x21, x22, [sp, #16]\n	ldp x23, x24, [sp, #32]\n"
        "	ldp x25, x26, [sp, #48]\n	ldp x27, x28, [sp, #64]\n	ldp x29, x30, [sp, "
        "#80]\n"
        "	ldp d8, d9, [sp, #96]\n	ldp d10, d11, [sp, #112]\n"
        "	ldp d12, d13, [sp, #128]\n	ldp d14, d15, [sp, #144]\n"
        "	add sp, sp, #160\n	ret\n"
        ".globl switch_entry\n.hidden switch_entry\n.type switch_entry,%function\n"
        "switch_entry:\n"
        "	mov x0, x19\n	bl switch_first\n	brk #0\n");

static void *first_frame(struct task *t, char *top)
{
	void **sp = (void **)(top - 160);

	memset(sp, 0, 160);
	sp[0] = t;                     /* x19 */
	sp[11] = (void *)switch_entry; /* x30 */
	return sp;
}
#else
#error "wolke runs on x86-64 and aarch64"
#endif

void switch_first(struct task *t)
{
#ifdef SWITCH_ASAN
	__sanitizer_finish_switch_fiber(NULL, &t->loop->stack_bottom, &t->loop->stack_size);
#endif
	task_run(t);
	switch_back(t);
	__builtin_unreachable();
}

void switch_init(struct task *t)
{
	t->sp = first_frame(t, t->stack->base + t->stack->size);
#ifdef SWITCH_TSAN
	t->fiber = __tsan_create_fiber(0);
#endif
}

void switch_to(struct loop *loop, struct task *t)
{
#ifdef SWITCH_TSAN
	loop->fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(t->fiber, 0);
#endif
#ifdef SWITCH_ASAN
	__sanitizer_start_switch_fiber(&loop->fake_stack, t->stack->base, t->stack->size);
#endif
	switch_stacks(&loop->sp, t->sp);
#ifdef SWITCH_ASAN
	__sanitizer_finish_switch_fiber(loop->fake_stack, NULL, NULL);
#endif
}

void switch_back(struct task *t)
{
	struct loop *loop = t->loop;

#ifdef SWITCH_TSAN
	__tsan_switch_to_fiber(loop->fiber, 0);
#endif
#ifdef SWITCH_ASAN
	__sanitizer_start_switch_fiber(t->state == TASK_ENDED ? NULL : &t->fake_stack,
	        loop->stack_bottom, loop->stack_size);
#endif
	switch_stacks(&t->sp, loop->sp);
#ifdef SWITCH_ASAN
	__sanitizer_finish_switch_fiber(t->fake_stack, &loop->stack_bottom, &loop->stack_size);
#endif
}

void switch_ended(struct task *t)
{
#ifdef SWITCH_TSAN
	__tsan_destroy_fiber(t->fiber);
#endif
}
