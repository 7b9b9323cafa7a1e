import { computed, onScopeDispose, ref, type ComputedRef, type ShallowRef } from 'vue'

import { useLoad } from '@/lib/useLoad'
import { useRefresh } from '@/lib/useRefresh'
import type { Notice } from '@/protocol/http/shapes'
import { useApi } from '@/services'

const REFRESH_MS = 60_000

interface Notices {
  notices: ComputedRef<Notice[]>
  problem: ShallowRef<unknown>
  /** Those that the person has not looked at yet, on any device. */
  fresh: ComputedRef<number>
  /** They were looked at. */
  see: () => void
}

/** What waits for the person signed in, asked for again every minute and whenever the page comes to the front. */
export function useNotices(): Notices {
  const api = useApi()
  const { data, problem, reload } = useLoad(() => api.notices())
  const notices = computed(() => data.value?.items ?? [])
  const until = ref('')

  const lookedAt = (): void => {
    if (!document.hidden) void reload()
  }
  useRefresh(reload, REFRESH_MS)
  document.addEventListener('visibilitychange', lookedAt)
  onScopeDispose(() => document.removeEventListener('visibilitychange', lookedAt))

  return {
    notices,
    problem,
    fresh: computed(() => notices.value.filter(({ at, seen }) => !seen && at > until.value).length),
    see() {
      const newest = notices.value.reduce((last, { at }) => (at > last ? at : last), until.value)
      if (newest === until.value) return
      until.value = newest
      // What does not arrive is told again by the next page: no reason to bother anybody.
      void api.seeNotices(newest).catch(() => undefined)
    },
  }
}
