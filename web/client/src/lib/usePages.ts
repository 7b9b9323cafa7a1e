import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'

import type { Page } from '@/protocol/http/client'

interface Pages<T> {
  items: Ref<T[]>
  loaded: Ref<boolean>
  loading: Ref<boolean>
  problem: ShallowRef<unknown>
  hasMore: ComputedRef<boolean>
  more: () => Promise<void>
}

/** A long list, a page at a time. */
export function usePages<T>(ask: (cursor?: string) => Promise<Page<T>>): Pages<T> {
  const items = ref([]) as Ref<T[]>
  const loaded = ref(false)
  const loading = ref(false)
  const problem = shallowRef<unknown>()
  const cursor = ref<string | null>()

  async function more(): Promise<void> {
    if (loading.value || cursor.value === null) return
    loading.value = true
    try {
      const page = await ask(cursor.value)
      items.value = [...items.value, ...page.items]
      cursor.value = page.nextCursor
      loaded.value = true
      problem.value = undefined
    } catch (error) {
      problem.value = error
    } finally {
      loading.value = false
    }
  }

  void more()
  return { items, loaded, loading, problem, hasMore: computed(() => Boolean(cursor.value)), more }
}
