"""Growing arrays of pointers, in the order of adding."""

from libc.stdlib cimport free, realloc

from media.plane.objects cimport list_t


cdef inline bint list_add(list_t *list, void *item) noexcept nogil:
    cdef int room
    cdef void **items
    if list.count == list.room:
        room = list.room * 2 if list.room else 8
        items = <void **>realloc(list.items, room * sizeof(void *))
        if items == NULL:
            return False
        list.items = items
        list.room = room
    list.items[list.count] = item
    list.count += 1
    return True


cdef inline void list_remove(list_t *list, const void *item) noexcept nogil:
    cdef int i
    cdef int kept = 0
    for i in range(list.count):
        if list.items[i] != item:
            list.items[kept] = list.items[i]
            kept += 1
    list.count = kept


cdef inline void list_swap(list_t *list, int one, int other) noexcept nogil:
    cdef void *item = list.items[one]
    list.items[one] = list.items[other]
    list.items[other] = item


cdef inline void list_free(list_t *list) noexcept nogil:
    free(list.items)
    list.items = NULL
    list.count = 0
    list.room = 0
