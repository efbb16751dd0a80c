// The idle holder: the first process of a sandbox, and the gate through which a command enters.
//
// Its code is not called by the program that carries it. It lives in a section of its own, which is copied
// into a static executable of one loadable segment (see HolderImage.swift). So nothing here may need anything
// outside of the section: no C library, no literals or other read-only data, no jump tables, no writable
// data, no memcpy or memset made up by the compiler, no stack protector, no sanitizer, no relocations.
//
//   hold                          waits for ever; children that end are never zombies; SIGTERM exits 0
//   gate FIFO PROGRAM ARGV0 ...   reads one byte from FIFO, then becomes PROGRAM; 125 at the end of the FIFO
//                                 or an error of it, 126 when PROGRAM may not be run, 127 when it cannot
//
// See signal(7), sigaction(2), execve(2), fifo(7).
#include "CLinuxShims.h"

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#define SW_BARE __attribute__((disable_sanitizer_instrumentation, no_sanitize("all"), no_stack_protector, \
                               no_builtin, no_profile_instrument_function))
#else
#define SW_BARE __attribute__((no_sanitize("address", "thread", "undefined"), no_stack_protector, \
                               no_instrument_function, no_profile_instrument_function, \
                               optimize("no-tree-loop-distribute-patterns", "no-jump-tables")))
#endif
#define SW_HOLDER __attribute__((section("sw_holder"), used, retain, noinline)) SW_BARE
// Always inlined, so that no call leaves the section even without optimisation.
#define SW_INLINE static inline __attribute__((always_inline)) SW_BARE
// Hidden, so that the linker reaches it directly and not through a table.
#define SW_HIDDEN __attribute__((visibility("hidden")))

enum {
    SW_O_RDONLY_CLOEXEC = 02000000,
    SW_AT_FDCWD = -100,
    SW_EINTR = 4,
    SW_EACCES = 13,
    SW_SIGTERM = 15,
    SW_SIGCHLD = 17,
    SW_SA_NOCLDWAIT = 2,
    SW_WNOHANG = 1,
    SW_SA_RESTORER = 0x04000000,
};

#if defined(__x86_64__)
enum {
    SW_SYS_READ = 0,
    SW_SYS_CLOSE = 3,
    SW_SYS_SIGACTION = 13,
    SW_SYS_EXECVE = 59,
    SW_SYS_WAIT4 = 61,
    SW_SYS_EXIT = 231,
    SW_SYS_OPENAT = 257,
    SW_SYS_PPOLL = 271,
};

SW_INLINE long sw_call(long number, long a, long b, long c, long d, long e) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
enum {
    SW_SYS_READ = 63,
    SW_SYS_CLOSE = 57,
    SW_SYS_SIGACTION = 134,
    SW_SYS_EXECVE = 221,
    SW_SYS_WAIT4 = 260,
    SW_SYS_EXIT = 94,
    SW_SYS_OPENAT = 56,
    SW_SYS_PPOLL = 73,
};

SW_INLINE long sw_call(long number, long a, long b, long c, long d, long e) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else
#error "the holder knows x86-64 and AArch64"
#endif

// What the kernel takes in rt_sigaction(2).
struct sw_action {
    uintptr_t handler;
    unsigned long flags;
    uintptr_t restorer;
    unsigned long mask;
};

SW_HIDDEN void sw_holder_run(const uintptr_t *stack);
SW_HIDDEN void sw_holder_terminated(int signal);

// The kernel's entry: the stack pointer is the argument, and there is nowhere to return to.
//
// The address of the handler is taken here, relative to the instruction, and passed on: a compiler may put
// the address of a function into a table outside of the section.
#if defined(__x86_64__)
__asm__(
    ".pushsection sw_holder,\"axR\",@progbits\n"
    ".globl sw_holder_start\n"
    ".hidden sw_holder_start\n"
    ".type sw_holder_start,@function\n"
    "sw_holder_start:\n"
    "  xorl %ebp, %ebp\n"
    "  movq %rsp, %rdi\n"
    "  andq $-16, %rsp\n"
    "  call sw_holder_run\n"
    "  hlt\n"
    ".size sw_holder_start, . - sw_holder_start\n"
    ".type sw_holder_restore,@function\n"
    "sw_holder_restore:\n"
    "  movl $15, %eax\n"
    "  syscall\n"
    "  hlt\n"
    ".size sw_holder_restore, . - sw_holder_restore\n"
    ".popsection\n");

SW_INLINE uintptr_t sw_handler_address(void) {
    uintptr_t address;
    __asm__("leaq sw_holder_terminated(%%rip), %0" : "=r"(address));
    return address;
}

SW_INLINE uintptr_t sw_restorer_address(void) {
    uintptr_t address;
    __asm__("leaq sw_holder_restore(%%rip), %0" : "=r"(address));
    return address;
}
#else
__asm__(
    ".pushsection sw_holder,\"axR\",@progbits\n"
    ".globl sw_holder_start\n"
    ".hidden sw_holder_start\n"
    ".type sw_holder_start,%function\n"
    "sw_holder_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n"
    "  bl sw_holder_run\n"
    "  brk #1\n"
    ".size sw_holder_start, . - sw_holder_start\n"
    ".popsection\n");

SW_INLINE uintptr_t sw_handler_address(void) {
    uintptr_t address;
    __asm__("adr %0, sw_holder_terminated" : "=r"(address));
    return address;
}
#endif

SW_INLINE __attribute__((noreturn)) void sw_exit(long code) {
    for (;;) {
        sw_call(SW_SYS_EXIT, code, 0, 0, 0, 0);
    }
}

SW_HOLDER void sw_holder_terminated(int signal) {
    (void)signal;
    sw_exit(0);
}

SW_INLINE void sw_set_action(int signal, uintptr_t handler, unsigned long flags) {
    // Volatile, so that the stores are not merged into a call.
    volatile struct sw_action action;
    action.handler = handler;
    action.flags = flags;
    action.restorer = 0;
    action.mask = 0;
#if defined(__x86_64__)
    action.flags = flags | SW_SA_RESTORER;
    action.restorer = sw_restorer_address();
#endif
    sw_call(SW_SYS_SIGACTION, signal, (long)&action, 0, sizeof action.mask, 0);
}

SW_INLINE __attribute__((noreturn)) void sw_hold(void) {
    // Ignored, with SA_NOCLDWAIT: the kernel takes down orphans by itself, nothing wakes up for them.
    sw_set_action(SW_SIGCHLD, 1, SW_SA_NOCLDWAIT);
    // Those that had ended before are zombies still, and have to be waited for.
    while (sw_call(SW_SYS_WAIT4, -1, 0, SW_WNOHANG, 0, 0) > 0) {
    }
    // The first process of a pid namespace gets no signal that it has not asked for.
    sw_set_action(SW_SIGTERM, sw_handler_address(), 0);
    for (;;) {
        sw_call(SW_SYS_PPOLL, 0, 0, 0, 0, 0);
    }
}

SW_INLINE __attribute__((noreturn)) void sw_gate(
    const char *const *arguments, const char *const *environment) {
    // arguments: FIFO PROGRAM ARGV0 ...
    long fifo;
    do {
        fifo = sw_call(SW_SYS_OPENAT, SW_AT_FDCWD, (long)arguments[0], SW_O_RDONLY_CLOEXEC, 0, 0);
    } while (fifo == -SW_EINTR);
    if (fifo < 0) {
        sw_exit(125);
    }
    volatile char byte;
    long count;
    do {
        count = sw_call(SW_SYS_READ, fifo, (long)&byte, 1, 0, 0);
    } while (count == -SW_EINTR);
    if (count != 1) {
        sw_exit(125);
    }
    sw_call(SW_SYS_CLOSE, fifo, 0, 0, 0, 0);
    long error = sw_call(SW_SYS_EXECVE, (long)arguments[1], (long)(arguments + 2), (long)environment, 0, 0);
    sw_exit(error == -SW_EACCES ? 126 : 127);
}

// Compares with a word of four letters, given as a number, for want of literals.
SW_INLINE int sw_is(const char *text, uint32_t word) {
    for (int index = 0; index < 4; index++) {
        if ((unsigned char)text[index] != (word >> (24 - 8 * index) & 0xff)) {
            return 0;
        }
    }
    return text[4] == 0;
}

SW_HOLDER void sw_holder_run(const uintptr_t *stack) {
    // The kernel's layout: argc, argv..., NULL, envp..., NULL.
    uintptr_t count = stack[0];
    const char *const *arguments = (const char *const *)(stack + 1);
    const char *const *environment = arguments + count + 1;
    if (count == 2 && sw_is(arguments[1], 0x686f6c64)) {
        sw_hold();
    }
    if (count >= 5 && sw_is(arguments[1], 0x67617465)) {
        sw_gate(arguments + 2, environment);
    }
    sw_exit(125);
}

// The bounds of the section, which the linker knows.
extern const uint8_t __start_sw_holder[] SW_HIDDEN;
extern const uint8_t __stop_sw_holder[] SW_HIDDEN;
extern const uint8_t sw_holder_start[] SW_HIDDEN;

size_t sw_holder_size(void) {
    return (size_t)(__stop_sw_holder - __start_sw_holder);
}

size_t sw_holder_entry(void) {
    return (size_t)(sw_holder_start - __start_sw_holder);
}

void sw_holder_copy(uint8_t *place) {
    const volatile uint8_t *code = __start_sw_holder;
    size_t size = sw_holder_size();
    for (size_t index = 0; index < size; index++) {
        place[index] = code[index];
    }
}
