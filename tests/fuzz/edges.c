/* Where the instrumented plane has been: gcc calls this at each basic block (-fsanitize-coverage=trace-pc).
 *
 * What counts is an edge, a block with the one before it, as in AFL: two blocks that were both seen may still follow each
 * other for the first time. Only the first time counts, so an input costs nothing to judge: the number has grown, or not.
 * Preloaded, and not instrumented itself. The fuzzer is one thread.
 */
#include <stdint.h>

#define BITS 20 /* of the map, which has room for a hundred times the edges that there are: few share a place */

uint32_t huitang_edges; /* taken so far */

static uint8_t taken[1u << BITS];
static uintptr_t first;
static uint32_t before;

void __sanitizer_cov_trace_pc(void) {
    uintptr_t here = (uintptr_t)__builtin_return_address(0);
    if (!first)
        first = here; /* addresses differ from process to process, distances do not: a seed repeats its run */
    uint32_t block = (uint32_t)(here - first) * 2654435761u >> (32 - BITS); /* Knuth's multiplicative hash */
    uint8_t *edge = &taken[block ^ before];
    before = block >> 1; /* so that A to B is another edge than B to A */
    if (!*edge) {
        *edge = 1;
        huitang_edges++;
    }
}
