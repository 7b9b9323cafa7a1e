"""How soon a thread that waits for packets gets a processor that others use as well, on Linux."""

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #include <sys/resource.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    struct huitang_scheduling {  /* as sched_setattr(2) has it, which the C library does not everywhere */
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    };
    /* The least there is. From 6.6 on Linux lets whoever runs go on to the end of his slice, of a millisecond and more, though
       somebody with more weight has been woken; since 6.12 not if the slice of that one is shorter. Before, weight was enough. */
    #define HUITANG_SLICE_NS 100000
    static void huitang_hasten(int nice) {
        struct huitang_scheduling now;
        (void)setpriority(PRIO_PROCESS, 0, nice);
        memset(&now, 0, sizeof now);
        if (syscall(SYS_sched_getattr, 0, &now, sizeof now, 0)) return;
        now.size = sizeof now;
        now.flags = 0;
        now.runtime = HUITANG_SLICE_NS;
        (void)syscall(SYS_sched_setattr, 0, &now, 0);
    }
    """
    # Lets the calling thread come before others, and at once when it is woken; what it has no right to, or the kernel no notion
    # of, stays as it is.
    void hasten "huitang_hasten"(int nice) noexcept nogil
